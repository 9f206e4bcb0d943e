"""What the tests of the command line and of what it writes share."""

import shutil
import sys

import pytest

from handgrad.cli.main import command_line

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
WEIGHTY = ("serious", "critical")


@pytest.fixture
def handgrad(monkeypatch, capsys):
    """Give a function that runs the command line: exit code, stdout and stderr."""
    monkeypatch.setenv("COLUMNS", "112")

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["handgrad", *map(str, arguments)])
        code = command_line()
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


@pytest.fixture(scope="session")
def browser():
    """Give a headless Chromium."""
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="playwright is not installed: pip install playwright"
    )
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def visit(browser):
    """Give a function that opens an HTML file at a width: the page, and what went wrong in it.

    A window takes longer to open than a page in it, so the next page of the same kind is opened in
    the same one.
    """
    windows = {}

    def open_page(path, width=1280, scheme="light", scripts=True):
        kind = width, scheme, scripts
        if kind not in windows:
            windows[kind] = new_window(browser, *kind)
        page, trouble = windows[kind]
        trouble.clear()
        page.goto(path.resolve().as_uri())
        return page, trouble

    yield open_page
    for page, _ in windows.values():
        page.context.close()


def new_window(browser, width, scheme, scripts):
    """Open an empty page in a context of its own; return it, and a list of what goes wrong."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=scripts
    )
    page, trouble = context.new_page(), []
    page.on("console", lambda message: trouble.append(message.text))
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: note(request.url))

    def note(url):
        if not url.startswith(("file:", "data:")):
            trouble.append(url)

    return page, trouble


def serious(page):
    """Return what axe-core calls a serious or critical hindrance on a page."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe-core is not installed: pip install axe-playwright-python",
    )
    found = axe.Axe().run(page).response["violations"]
    return [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in WEIGHTY]
