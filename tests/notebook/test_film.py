"""The border film: what is in it, how large it gets, and the page in a real browser, opened from disk."""

from __future__ import annotations

import json
import re
import shutil
import time
from pathlib import Path

import pytest

from tests.full_disk import full_disk
from washnb.errors import ConfigError
from washnb.events import HostCall, StateChanged
from washnb.notebook.film import film_of, frames
from washnb.notebook.hosted.history import History
from washnb.notebook.hosted.timeline import Timeline

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
MARKUP = "<b>x</b></script><script>document.title=1</script>"

COLOURS = """
[...document.querySelectorAll(".said, .quiet, th, td, .mark, small, .box strong")].map((node) => {
  let at = node;
  while (getComputedStyle(at).backgroundColor === "rgba(0, 0, 0, 0)") at = at.parentElement;
  const [text, ground] = [getComputedStyle(node).color, getComputedStyle(at).backgroundColor];
  return [text, ground].map((colour) => colour.match(/\\d+/g).map(Number));
})
"""  # of each piece of text, and of what it stands on


def contrast(one: list[int], other: list[int]) -> float:
    """The ratio of WCAG between two colours."""

    def light(colour: list[int]) -> float:
        linear = [c / 3294.6 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05

    darker, lighter = sorted((light(one), light(other)))
    return lighter / darker


def reel_of(path: str) -> dict:
    """The data of a film that was saved."""
    page = Path(path).read_text(encoding="utf-8")
    return json.loads(re.search(r'id="reel">(.*?)</script>', page, re.DOTALL)[1])


@pytest.fixture
def counted(session):
    """A session with a counter that has counted twice, once denied."""
    session.load("example:counter", attach=["keyvalue"])
    session.send(f"/{MARKUP}")
    session.send("/y?token=swordfish")
    session.kv["default"]["y"] = "5"
    session.detach("keyvalue", "counter")
    session.send("/y")
    return session


def test_frames_are_calls_in_order_with_what_they_changed(counted, tmp_path):
    """A request begins, its calls cross, it ends; a change stands with its call, an edit by itself."""
    saved = counted.trace("save", tmp_path / "film.html")
    reel = reel_of(saved)
    kinds = [frame["kind"] for frame in reel["frames"]]
    assert kinds[0] == "begin"
    assert kinds.count("begin") == kinds.count("end") == 3
    assert kinds.count("outside") == 1
    assert kinds.count("back") == 0
    times = [frame["at"] for frame in reel["frames"]]
    assert times == sorted(times)
    increment = next(frame for frame in reel["frames"] if frame.get("function") == "increment")
    assert increment["changes"][0]["path"] == ["default", MARKUP]
    assert increment["changes"][0]["after"] == "1"
    denied = [frame for frame in reel["frames"] if frame.get("outcome") == "denied"]
    assert [frame["provider"] for frame in denied] == ["nobody"]
    assert saved.news.startswith(f"{saved}: 3 requests, {reel['calls']} host calls")
    assert "swordfish" not in Path(saved).read_text()


def test_nothing_of_a_guest_is_markup(counted, tmp_path):
    """The data of the page cannot end its element, and the policy names the page's own script and style only."""
    page = Path(counted.trace("save", tmp_path / "film.html")).read_text()
    assert page.count("</script>") == 2
    assert "<b>" not in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy


def test_a_call_that_is_interrupted_comes_back_later(session, tmp_path):
    """The desk's call goes out, the worker handles the message, and only then the answer comes back."""
    session.load("example:worker", attach=["messaging"], config={"subscriptions": "tasks.*"})
    session.load("example:desk")
    session.send("POST", "/tasks.shout", body="hey", to="desk")
    reel = reel_of(session.trace("save", tmp_path / "film.html"))
    kinds = [(frame["kind"], frame.get("request")) for frame in reel["frames"]]
    assert ("back", 0) in kinds
    assert kinds.index(("begin", 1)) < kinds.index(("back", 0))
    assert next(frame for frame in reel["frames"] if frame.get("function") == "request").get("whole") is None


def test_a_film_is_bounded_and_says_what_it_lacks(session, tmp_path, monkeypatch):
    """The latest requests stay, the first of these with its beginning; the others are counted."""
    session.load("example:counter", attach=["keyvalue"])
    for _ in range(3):
        session.send("/x")
    monkeypatch.setattr(frames, "MAX_CALLS", 15)
    saved = session.trace("save", tmp_path / "film.html")
    reel = reel_of(saved)
    assert [request["calls"] for request in reel["requests"]] == [11, 11]
    assert reel["left_out"] == {"requests": 1, "calls": 18}
    assert "18 calls were left out" in saved.news
    monkeypatch.setattr(frames, "MAX_BYTES", 5_000)
    assert len(Path(session.trace("save", tmp_path / "small.html")).read_text()) < len(Path(saved).read_text())


def test_what_cannot_be_saved_says_why(session, tmp_path, notebook):
    """No file, no place for it, nothing to show: each with the line that mends it. What was saved before stays."""
    with pytest.raises(ConfigError, match="needs the name of a file"):
        session.trace("save")
    with pytest.raises(ConfigError, match="no request yet"):
        session.trace("save", tmp_path / "film.html")
    session.load("example:hello")
    session.send("/")
    with pytest.raises(ConfigError, match="cannot be written"):
        session.trace("save", tmp_path / "no" / "film.html")
    saved = Path(session.trace("save", tmp_path / "film.html"))
    before = saved.read_bytes()
    with full_disk(), pytest.raises(ConfigError, match="cannot be written: File too large"):
        session.trace("save", saved)
    assert saved.read_bytes() == before
    session.trace("clear")
    session.trace("off")
    with pytest.raises(ConfigError, match="tracing is off"):
        session.trace("save", tmp_path / "film.html")
    notebook.run("%wash load example:hello\n%wash send /")
    assert "1 request, " in notebook.run(f"%wash trace save {tmp_path}/film.html").text
    assert (tmp_path / "film.html").exists()


@pytest.fixture
def chromium():
    """A browser that tells what pages ask for and complain of: `open(path, **options)`."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)

        def visit(path: str, **options):
            page = browser.new_page(**options)
            page.told = []
            page.on("console", lambda message: page.told.append(message.text))
            page.on("pageerror", lambda error: page.told.append(str(error)))
            page.on("request", lambda request: page.told.append(request.url))
            page.goto(f"file://{path}")
            return page

        yield visit
        browser.close()


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_plays_from_disk(counted, tmp_path, chromium, scheme):
    """Keys, buttons and the scrubber move; values and state follow; nothing is asked of anybody, nothing complains."""
    from playwright.sync_api import expect

    saved = counted.trace("save", tmp_path / "film.html")
    page = chromium(saved, color_scheme=scheme, viewport={"width": 1280, "height": 900})
    said, state = page.locator(".said"), page.locator(".state")
    expect(said).to_contain_text("Begins: GET")
    while "increment" not in said.inner_text():
        page.keyboard.press("ArrowRight")
    expect(said).to_contain_text("of wasi-keyvalue")
    expect(state.locator("tr.now")).to_contain_text("default / <b>x</b>")
    expect(page.locator(".values")).to_contain_text("delta")
    page.keyboard.press("n")
    expect(said).to_contain_text("denied")
    expect(page.locator(".crossing .mark.denied")).to_have_text("⊘")
    page.get_by_role("slider").fill("0")
    expect(state).to_contain_text("nothing has changed yet")
    page.locator(".frames button", has_text="increment").nth(1).click()
    expect(page.locator(".values")).to_contain_text("wasi:keyvalue/atomics")
    page.get_by_label("plugins only").check()
    page.keyboard.press("Home")
    page.get_by_role("button", name="play (space)").click()
    page.get_by_label("speed").select_option("4")
    expect(said).to_contain_text("Ends")
    page.get_by_role("button", name="pause (space)").click()
    assert page.locator("main b").count() == 0
    assert page.title() == "Border film"
    assert page.told == [f"file://{saved}"]
    for colour, ground in page.evaluate(COLOURS):
        assert contrast(colour, ground) >= 4.5, (colour, ground)


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
def test_what_is_left_out_is_said(session, tmp_path, chromium, monkeypatch):
    """Of requests and of calls, as far as there is any."""
    from playwright.sync_api import expect

    session.load("example:counter", attach=["keyvalue"])
    session.send("/x")
    monkeypatch.setattr(frames, "MAX_CALLS", 5)
    page = chromium(session.trace("save", tmp_path / "film.html"))
    expect(page.locator("header")).to_contain_text("5 host calls  ·  left out: 6 calls")
    expect(page.locator("header")).to_contain_text(time.strftime("%Y"))  # a bug report wants to know when
    session.send("/y")
    page = chromium(session.trace("save", tmp_path / "film.html"))
    expect(page.locator("header")).to_contain_text("left out: 1 older request, 17 calls")


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
def test_what_faults_did_is_said(session, tmp_path, chromium):
    """Of a call that a fault has changed, of one of an export that it met, and of a request that had either."""
    from playwright.sync_api import expect

    session.load("example:counter", attach=["keyvalue"])
    session.fault("keyvalue.open", delay=0.001)
    session.fault("incoming-handler.handle", delay=0.001)
    session.send("/x")
    saved = session.trace("save", tmp_path / "film.html")
    page = chromium(saved)
    said = page.locator(".said")
    page.keyboard.press("n")
    expect(said).to_contain_text("A fault meets the call of counter, wasi:http/incoming-handler handle")
    expect(said).to_contain_text("delay 0.001 s")
    expect(page.locator(".box.active", has_text="set on an export")).to_be_visible()
    page.keyboard.press("n")
    expect(said).to_contain_text("of wasi-keyvalue, injected by a fault")
    expect(page.locator(".values").get_by_role("row", name="result")).to_contain_text("bucket#1")
    page.keyboard.press("n")
    expect(said).to_contain_text("Ends: GET /x  200  to counter")
    expect(said).to_contain_text("⚡ 2 injected")
    expect(said.get_by_role("img", name="injected by a fault")).to_be_visible()
    assert page.told == [f"file://{saved}"]


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")
@pytest.mark.filterwarnings("default::ResourceWarning", "default::pytest.PytestUnraisableExceptionWarning")
def test_what_a_call_changes_is_there_at_its_return(tmp_path, chromium):
    """A set that another request interrupts changes nothing before it comes back; then old and new value are there."""
    from playwright.sync_api import expect

    history = History()
    now = time.time()
    for request, number, started, took, key, value in (
        (1, 1, 0.0, 0.1, "k", b"old"),
        (2, 1, 0.4, 0.1, "l", b"x"),
        (1, 2, 0.2, 0.6, "k", b"new"),
    ):
        history.changes.append((now + started + took, StateChanged("w", "kv", ("b", key), "set", (request, number))))
        arguments = (("key", key), ("value", value))
        call = HostCall(request, number, "w", "w", "a:b/c", "set", arguments, None, None, "kv", started, took, 8)
        history._request(request, 0).calls.append(call)
        history._request(request, 0).begun = now
    page_path = tmp_path / "film.html"
    page_path.write_text(film_of(Timeline.of(history.memory())).html, encoding="utf-8")
    page = chromium(str(page_path))
    state = page.locator(".state")
    page.keyboard.press("End")
    expect(page.locator(".said")).to_contain_text("Comes back")
    expect(state.locator("tr.now")).to_contain_text("b'old' → b'new'")
    page.keyboard.press("ArrowLeft")
    expect(state).to_contain_text("b'old'")
    expect(state).not_to_contain_text("b'new'")
    assert page.told == [f"file://{page_path}"]
