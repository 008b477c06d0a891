"""JupyterLab in headless Chromium, shut off from everything but this machine.

pytest-jupyter stays out of this process: its clean-up meets Playwright's event loop.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from support.tools import need_tool

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "test-token"  # noqa: S105
PATIENCE_S = 90
APPUTILS = "@jupyterlab/apputils-extension"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
)
FOLDERS = {
    "JUPYTER_CONFIG_DIR": "config",
    "JUPYTER_DATA_DIR": "data",
    "JUPYTER_RUNTIME_DIR": "runtime",
    "JUPYTERLAB_SETTINGS_DIR": "settings",
    "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
    "IPYTHONDIR": "ipython",
}


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A running JupyterLab."""

    url: str
    #: the server's root folder
    root: Path
    #: the users' settings
    settings: Path

    def write_notebook(self, name: str, *sources: str) -> None:
        """Put a notebook of code cells into the root folder."""
        cells = [
            {
                "cell_type": "code",
                "id": f"c{number}",
                "execution_count": None,
                "metadata": {},
                "outputs": [],
                "source": source,
            }
            for number, source in enumerate(sources)
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        notebook = {
            "cells": cells,
            "metadata": {"kernelspec": kernel},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook), "utf-8")

    def set_theme(self, name: str) -> None:
        """Choose the theme of pages opened from now on."""
        write_setting(self.settings, f"{APPUTILS}/themes", {"theme": name})


def write_setting(settings: Path, plugin: str, value: dict[str, object]) -> None:
    path = settings / f"{plugin}.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), "utf-8")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab in folders of its own; the end of the session ends it."""
    home = tmp_path_factory.mktemp("lab")
    for folder in ("notebooks", *FOLDERS.values()):
        (home / folder).mkdir()
    # answers the question about Jupyter news, so that no pop-up covers the page
    news = {"checkForUpdates": False, "fetchNews": "false"}
    write_setting(home / "settings", f"{APPUTILS}/notification", news)
    write_setting(home / "settings", "nbship-lab/panel", {"pollSeconds": 1})
    port = free_port()
    found = Lab(
        url=f"http://127.0.0.1:{port}",
        root=home / "notebooks",
        settings=home / "settings",
    )
    environ = os.environ | {name: str(home / f) for name, f in FOLDERS.items()}
    with (home / "lab.log").open("wb") as log:
        server = subprocess.Popen(
            lab_command(port, found.root),
            env=environ,
            cwd=home,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for(server, found.url, home / "lab.log")
            yield found
        finally:
            end(server)


def lab_command(port: int, root: Path) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        f"--IdentityProvider.token={TOKEN}",
        f"--ServerApp.root_dir={root}",
        "--LabApp.extension_manager=readonly",
        "--LabApp.news_url=",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]


def wait_for(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{url}/api", timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"JupyterLab did not start:\n{log.read_text('utf-8')}")


def end(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(15)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def browser():
    """Debian's Chromium; Playwright brings none of its own."""
    chromium = need_tool("chromium", "chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=list(FLAGS)
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser, lab):
    """A page that may ask this server alone, and may raise no error."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    foreign: list[str] = []
    homes = (lab.url, lab.url.replace("http", "ws", 1), "data:", "blob:")
    context.on(
        "request",
        lambda r: None if r.url.startswith(homes) else foreign.append(r.url),
    )
    errors: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_default_timeout(PATIENCE_S * 1000 / 3)
    yield page
    context.close()
    assert foreign == []
    assert errors == []


@pytest.fixture
def shoot(page):
    """Save a picture of the page as ``$NBSHIP_SHOTS/<name>.png`` where that is set."""

    def shoot(name: str) -> None:
        folder = os.environ.get("NBSHIP_SHOTS")
        if folder:
            page.screenshot(path=Path(folder) / f"{name}.png")

    return shoot


@pytest.fixture
def open_lab(page, lab):
    """Open JupyterLab, on a notebook where one is named, with the side panel in view."""

    def open_lab(notebook: str = "") -> Page:
        tree = f"/tree/{notebook}" if notebook else ""
        page.goto(
            f"{lab.url}/lab{tree}?token={TOKEN}&reset", wait_until="domcontentloaded"
        )
        if notebook:
            page.locator(".jp-Notebook .jp-CodeCell").first.wait_for()
            # the notebook's own indicator is idle before its kernel is connected,
            # and cells run then are lost; the status bar tells the truth
            page.locator("#jp-main-statusbar", has_text="| Idle").wait_for(
                timeout=PATIENCE_S * 1000
            )
        page.locator(".lm-TabBar-tab[data-id='nbship-panel']").click()
        expect(page.locator("#nbship-panel")).to_be_visible()
        return page

    return open_lab


@pytest.fixture
def run_all(page):
    """Run all cells of the notebook in view."""

    def run_all() -> None:
        page.get_by_role("menuitem", name="Run", exact=True).click()
        label = page.get_by_text("Run All Cells", exact=True)
        page.locator(".lm-Menu-item", has=label).click()

    return run_all
