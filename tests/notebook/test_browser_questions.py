"""The form of a call that waits, in a real JupyterLab, driven through a real browser."""

from __future__ import annotations

import re

from .jupyterlab import IN_A_BROWSER

pytestmark = IN_A_BROWSER
CELLS = (
    """%load_ext washnb
from tests.engine.echo import HOST, echo_component
from washnb import Err
from washnb.engine.abi.shapes import Enum, Flags, List, Option, Primitive, Record, Result, Tuple, Variant

TEXT, U8 = Primitive("string"), Primitive("u8")
LEVEL, RIGHTS = Enum(("low", "very-high")), Flags(("read", "write-all"))
ITEM = Record((
    ("name", TEXT), ("level", LEVEL), ("rights", RIGHTS), ("size", Option(U8)), ("big", Primitive("u64")),
    ("data", List(U8)), ("tags", List(TEXT)), ("pair", Tuple((Primitive("f64"), Primitive("char")))),
    ("on", Primitive("bool")), ("nested", Option(Option(U8))), ("done", Result(None, TEXT)),
))
ERROR = Variant((("gone", None), ("other", Record((("why", TEXT), ("code", U8))))))
NAMES = {LEVEL: "level", RIGHTS: "rights", ITEM: "item", ERROR: "error", ERROR.cases[1][1]: "reason"}
GUEST = echo_component(Result(ITEM, ERROR), names=NAMES).encode()
""",
    "wash.attach('test:echo/host=ask')\nshop = wash.load(GUEST, 'shop')",
    "shop.echo0(Err(shop.Error_Gone()))",
    """%load_ext washnb
%wash attach keyvalue=ask
%wash load example:counter
wash.send("/x", to="counter").text""",
    "6 * 7",
)


def test_run_all_asks_in_a_form_in_each_cell_that_waits(page):
    """Though no page was there before its cell ran; then the lines that say what was answered are in its place."""
    from playwright.sync_api import expect

    page.begin_all()
    shop = page.output(2).locator(".washnb li")
    expect(shop).to_contain_text("shop calls echo0 of test:echo/host@1.0.0")
    elsewhere = page.output(1).locator(".washnb li")
    expect(elsewhere).to_contain_text("asked in the cell that waits")
    expect(elsewhere.get_by_role("button", name="Answer", exact=True)).to_be_hidden()
    shop.get_by_label("answer name", exact=True).fill("lamp")
    shop.get_by_role("button", name="Answer", exact=True).click()
    expect(page.output(2)).to_contain_text('shop called echo0(a=Err(Error_Gone())): Item(name="lamp", level=Level.LOW')
    form = page.output(3).locator(".washnb").last
    expect(form).to_contain_text("counter calls open of wasi:keyvalue/store")
    form.get_by_role("button", name="Pass on").click()
    expect(form).to_contain_text("counter calls increment of wasi:keyvalue/atomics")
    form.get_by_role("button", name="Pass on").click()
    expect(page.output(3)).to_contain_text("increment(bucket=<bucket>, key='x', delta=1): passed on")
    expect(page.output(3)).to_contain_text("'1'")
    expect(page.output(4)).to_contain_text("42")
    expect(elsewhere).to_have_count(0)
    expect(page.page.locator(".jp-Stdin")).to_have_count(0)


def test_a_cell_that_attaches_and_sends_asks_in_a_form(page):
    """By keyboard alone: the focus is where the next answer is written, and after the last one where it was."""
    from playwright.sync_api import expect

    page.page.locator(".jp-Notebook .jp-CodeCell").nth(3).click()
    page.page.keyboard.press("Escape")
    page.page.keyboard.press("Shift+Enter")
    form = page.output(3).locator(".washnb").last
    expect(form).to_contain_text("counter calls open")
    expect(form.get_by_label("answer, an expression")).to_be_focused()
    page.page.keyboard.press("Enter")
    expect(form).to_contain_text("counter calls increment")
    expect(form.get_by_label("answer", exact=True)).to_be_focused()
    page.page.keyboard.type("x")
    page.page.keyboard.press("Enter")
    expect(form.get_by_role("alert").last).to_have_text("answer is a whole number from 0 to 18446744073709551615")
    page.page.keyboard.type("41")
    page.page.keyboard.press("Enter")
    expect(page.output(3)).to_contain_text("increment(bucket=<bucket>, key='x', delta=1): 41")
    expect(page.page.locator(".jp-Notebook .jp-CodeCell").nth(4)).to_be_focused()
    expect(page.page.locator(".jp-Stdin")).to_have_count(0)


def test_a_form_asks_for_a_value_of_any_type(page):
    """By mouse and by keyboard: what is wrong is told where it is; the expression is there to see, and to change."""
    from playwright.sync_api import expect

    for cell in range(2):
        page.run(cell)
    expect(page.output(1).locator(".washnb")).to_contain_text("no call waits for an answer")
    page.begin(2)
    form = page.output(2).locator(".washnb li")

    def field(name: str):
        return form.get_by_label(f"answer {name}", exact=True)

    field("name").fill('say "hi"\n\\')
    field("level").select_option("very-high")
    field("rights").get_by_label("write-all").check()
    field("size").select_option("some")
    field("size some").fill("256")
    field("big").fill("18446744073709551615")
    field("data").fill("ff 00")
    form.get_by_label("form of answer data").select_option("hex")
    for number, tag in enumerate(("a", "b", "c")):
        form.get_by_role("button", name="add to answer tags").press("Enter")
        expect(field(f"tags {number}")).to_be_focused()
        page.page.keyboard.type(tag)
    field("tags").get_by_role("button", name="Remove").nth(1).click()
    field("pair 0").fill("2.5e3")
    field("pair 1").fill("\N{SNOWMAN}")
    field("on").press("Space")
    field("nested").select_option("some")
    field("nested some").select_option("some")
    field("nested some some").fill("7")
    field("done").select_option("err")
    field("done err").fill("no")

    form.get_by_role("button", name="Answer", exact=True).click()
    expect(form.get_by_role("alert")).to_have_text("answer size some is a whole number from 0 to 255")
    expect(field("size some")).to_be_focused()
    field("size some").fill("255")
    form.get_by_role("switch", name="as an expression").press("Space")
    written = form.get_by_label(re.compile("answer: Item"))
    expect(written).to_be_focused()
    expect(written).to_have_value(
        'Item(name="say \\"hi\\"\\n\\\\", level=Level.VERY_HIGH, rights=Rights.WRITE_ALL, size=255, '
        'big=18446744073709551615, data=bytes.fromhex("ff 00"), tags=["a", "c"], pair=(2.5e3, "\N{SNOWMAN}",), '
        'on=True, nested=Some(7), done=Err("no"))'
    )
    written.press("End")
    page.page.keyboard.type(" + 1")
    page.page.keyboard.press("Enter")
    expect(form.get_by_role("alert")).to_contain_text("TypeError")
    form.get_by_role("switch", name="as an expression").press("Space")
    field("pair 0").press("Enter")
    shown = page.output(2)
    for text in ("level=<Level.VERY_HIGH: 1>", "size=255", "tags=['a', 'c']", "nested=Some(value=7)", "done=Err('no')"):
        expect(shown).to_contain_text(text)
    expect(form).to_have_count(0)


def test_an_error_has_a_form_too(page):
    """The cases of the interface's own error, with what is in them."""
    from playwright.sync_api import expect

    for cell in range(2):
        page.run(cell)
    page.begin(2)
    form = page.output(2).locator(".washnb li")
    form.get_by_label("error", exact=True).select_option("other")
    form.get_by_label("error other why").fill("no room")
    form.get_by_label("error other code").fill("28")
    form.get_by_label("error other code").press("Enter")
    expect(page.output(2)).to_contain_text("Err: Error_Other(value=Reason(why='no room', code=28))")


def test_a_form_that_nobody_waits_at_takes_no_answer(page):
    """After a restart of the kernel it says so, and what to do; after an interrupt it is gone."""
    from playwright.sync_api import expect

    page.begin(3)
    form = page.output(3).locator(".washnb").last
    expect(form).to_contain_text("counter calls open")
    page.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => null)"
    )
    expect(form.get_by_role("alert").last).to_have_text("the kernel of this view is gone: run its cell again")
    expect(form.locator("[inert] fieldset")).to_have_count(1)
    page.begin(3)
    expect(form.get_by_role("group", name="counter waits for open(identifier='default')")).to_be_visible()
    expect(form.locator("[inert]")).to_have_count(0)
    page.command("notebook:interrupt-kernel")
    expect(page.output(3)).to_contain_text("it was cancelled")
    expect(page.output(3).locator(".washnb li")).to_have_count(0)
