"""Slow motion in a real JupyterLab, driven through a real browser."""

from __future__ import annotations

from .jupyterlab import IN_A_BROWSER

pytestmark = IN_A_BROWSER
CELLS = (
    "%load_ext washnb\n%wash load example:counter --attach keyvalue\n%wash send /x",
    "%wash trace --slow 0.5",
    "wash.send('/x', timeout=1).text",
    "wash.trace(slow='off')",
)


def test_a_held_call_opens_and_keeps_the_focus(page):
    """By keyboard, while it is held: its values are there, and its answer once it has one, without another key."""
    from playwright.sync_api import expect

    page.run(0)
    page.run(1)
    view = page.output(1).locator(".washnb")
    expect(view).to_contain_text("slow motion, speed 0.5")
    page.page.wait_for_timeout(1_500)
    page.begin(2)
    call = view.locator(".washnb-held").get_by_role("button", name="increment(")
    call.focus()
    call.press("Enter")
    panel = view.locator(".washnb-panel")
    expect(panel.get_by_role("row", name='key "x"')).to_be_visible()
    expect(panel.get_by_role("row", name="result")).to_contain_text("under way")
    expect(panel.get_by_role("row", name="result")).to_contain_text("2")
    expect(view.get_by_role("button", name="increment(").last).to_be_focused()
    page.command("kernelmenu:interrupt")
    page.run(3)


def test_calls_cross_one_by_one(page):
    """In the view above a cell that waits: each call is under way, in word and shape, and then has its answer."""
    from playwright.sync_api import expect

    page.run(0)
    page.run(1)
    view = page.output(1).locator(".washnb")
    expect(view).to_contain_text("slow motion, speed 0.5")
    page.page.wait_for_timeout(1_500)  # as a person does, who reads before the next cell
    page.begin(2)
    held = view.locator(".washnb-held")
    for function in ("path-with-query", "open(", "increment("):
        expect(held).to_contain_text(function)
        expect(held.get_by_role("img", name="under way")).to_be_visible()
        expect(held.get_by_text("under way", exact=True)).to_be_visible()
        expect(view.get_by_role("status")).to_contain_text("under way: ")
    expect(view.locator(".washnb-request").last).to_contain_text("GET /x  under way  in counter")
    expect(view.get_by_role("button", name="increment")).to_contain_text("→ 2")
    page.command("kernelmenu:interrupt")
    expect(held).to_have_count(0)
    expect(page.output(2)).to_contain_text("interrupted")
    page.run(3)
    page.run(2)
    expect(page.output(2)).to_contain_text("3")
    expect(view.locator(".washnb-request")).to_have_count(3)
