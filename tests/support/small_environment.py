"""An environment of its own: a kernel, an editable package, a wheel of a local version."""

import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

from uv import find_uv_bin

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"


def uv(*words, cwd=None):
    """Run uv; it has to succeed."""
    done = subprocess.run(
        [find_uv_bin(), *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_wheel(folder, *, name="scaling", version="1.5+cpu", factor=3, script=True):
    """Write a small wheel with a module, a script that is no entry point, and a data file."""
    stem = f"{name}-{version}"
    files = {
        f"{name}/__init__.py": f"FACTOR = {factor}\n",
        f"{name}/table.txt": "1 2 3\n",
        f"{stem}.data/data/share/{name}/note.txt": "beside the environment\n",
        f"{stem}.dist-info/METADATA": METADATA.format(name=name, version=version),
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
        f"{stem}.dist-info/entry_points.txt": f"[console_scripts]\nmade = {name}:f\n",
    }
    if script:
        files[f"{stem}.data/scripts/{name}-tool"] = "#!python\nprint('tool')\n"
    rows = [
        f"{path},sha256={_digest(text)},{len(text)}" for path, text in files.items()
    ]
    rows.append(f"{stem}.dist-info/RECORD,,")
    files[f"{stem}.dist-info/RECORD"] = "\n".join(rows) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return wheel


def _digest(text):
    code = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return code.decode().rstrip("=")


def write_project(folder, *, name="helping", answer=42):
    """Write a project that hatchling builds."""
    package = folder / "src" / name
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(f"ANSWER = {answer}\n")
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "{name}"\nversion = "0.3.1"\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )
    return folder


def make_environment(folder, *packages):
    """Make an environment with uv and install packages; return its interpreter."""
    uv("venv", "--quiet", "--python", sys.executable, folder)
    python = Path(folder) / "bin" / "python"
    if packages:
        uv("pip", "install", "--quiet", "--python", python, *packages)
    return str(python)


def write_kernel(folder, python, *, name="small"):
    """Write a kernel's specification below a folder that JUPYTER_PATH may name."""
    spec = folder / "kernels" / name
    spec.mkdir(parents=True)
    argv = [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": name, "language": "python"})
    )
