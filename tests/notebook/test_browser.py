"""The views in a real JupyterLab, driven through a real browser."""

from __future__ import annotations

from pathlib import Path

from .jupyterlab import IN_A_BROWSER

pytestmark = IN_A_BROWSER
LOOP = Path(__file__).parent.parent / "components" / "keyvalue_loop.wat"
CELLS = (
    "%load_ext washnb\n%wash load example:counter --attach keyvalue\n%wash send /x",
    "wash.kv['default']['note'] = '<img src=x onerror=\"document.title=1\">\\x1b[31m'",
    "%wash kv",
    "wash.send('/x').text",
    "%wash logs",
    "import threading\nthreading.Timer(2, wash.send, ['/x']).start()",
    "wash.load('example:gallery', attach=['blobstore'])\nwash.blobs['gallery']['a.json'] = '{\"n\": 1}'",
    "%wash blobs --of gallery",
    "wash.load('example:worker', attach=['messaging'], config={'subscriptions': 'tasks.*'})",
    "%wash messages",
    "%wash trace",
    "%wash blobs gallery a.json",
    """from washnb import Interface

class Roll(Interface, wit='workshop:dice/roll@0.1.0'):
    def roll(self, sides: int) -> int:
        answer = sides
        breakpoint()
        return answer

wash.load('example:lucky', attach=[Roll])""",
    "wash.send('/', to='lucky', timeout=1).text",
    "%load_ext washnb\n%wash attach workshop:dice/roll=ask\n%wash load example:lucky",
    "wash['lucky'].play()",
    "%load_ext washnb\n%wash attach keyvalue=ask\nwash.load('example:counter')\nprint(wash.send('/y').text)",
    "%wash trace last --of counter",
    "wash.fault('keyvalue.open', delay=0.001)",
    "for number in range(120): wash.send('/x')",
    f"wash.load('{LOOP}', 'looper')\nwash['looper'].increment(150)",
)


def test_views_live_edit_and_stay(page, folder):
    """The widget follows requests, edits by keyboard, shows text as text, and leaves its last state in the file."""
    import nbformat
    from playwright.sync_api import expect

    for cell in range(5):
        page.run(cell)
    view = page.output(2).locator(".washnb")
    row = view.locator("tr", has=page.page.get_by_role("button", name="x", exact=True))
    expect(row.locator(".washnb-value")).to_have_text("2")
    expect(page.output(4).locator(".washnb")).to_contain_text("nothing is logged")
    still = page.output(2).locator(".washnb-still")
    expect(still).to_be_hidden()

    page.run(3)  # another request, and the view of the cell above follows
    expect(row.locator(".washnb-value")).to_have_text("3")

    note = view.locator("tr", has=page.page.get_by_role("button", name="note", exact=True))
    expect(note).to_contain_text("3c 69 6d 67")
    assert view.locator("img").count() == 0

    row.get_by_role("button").focus()
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("Control+A")
    page.page.keyboard.type("41")
    page.page.keyboard.press("Control+Enter")
    expect(row.locator(".washnb-value")).to_have_text("41")
    page.run(3)
    expect(page.output(3)).to_contain_text("42")
    expect(row.locator(".washnb-value")).to_have_text("42")

    page.run(5)  # a request comes while a value is being typed
    row.get_by_role("button").click()
    view.get_by_label("value of x").fill("nonsense")
    expect(row.locator(".washnb-value")).to_have_text("43")
    expect(view.get_by_label("value of x")).to_be_focused()
    page.page.keyboard.press("Control+Enter")
    expect(view.get_by_text('"nonsense" is not a whole number')).to_be_visible()
    expect(view.get_by_label("value of x")).to_have_value("nonsense")
    page.page.keyboard.press("Escape")

    view.get_by_label("key", exact=True).fill("new")
    view.get_by_label("value", exact=True).fill("<b>text</b>")
    view.get_by_role("button", name="Set").click()
    expect(view.get_by_role("button", name="new", exact=True)).to_be_visible()
    assert view.locator("b").count() == 0

    page.page.wait_for_timeout(1_500)  # the plain output follows at leisure
    page.command("docmanager:save")
    saved = nbformat.read(folder / "views.ipynb", 4).cells[2].outputs
    assert "washnb-still" in saved[1].data["text/html"]
    assert "<td" in saved[1].data["text/html"]
    assert "43  (u64, little endian)" in saved[1].data["text/html"]
    assert "&lt;b&gt;text&lt;/b&gt;" in saved[1].data["text/html"]

    page.command("kernelmenu:shutdown")
    page.page.reload()
    page.page.wait_for_selector("#jupyterlab-splash", state="detached", timeout=60_000)
    expect(page.output(2).locator(".washnb-still")).to_be_visible()


def test_values_are_edited_in_the_form_that_one_likes(page):
    """The same bytes as text, as JSON and in hex; a form that they have not is not offered; looking changes none."""
    from playwright.sync_api import expect

    for cell in range(3):
        page.run(cell)
    view = page.output(2).locator(".washnb")
    for key, value, form in (("doc", '{"n":1.10}', "json"), ("raw", "ff 0d 00", "hex")):
        view.get_by_label("key", exact=True).fill(key)
        view.get_by_label("value", exact=True).fill(value)
        view.get_by_label("form of the value").select_option(form)
        view.get_by_role("button", name="Set").click()
    view.get_by_role("button", name="doc", exact=True).click()
    editor = view.get_by_label("value of doc", exact=True)
    expect(editor).to_have_value('{\n  "n": 1.10\n}')
    view.get_by_label("form of doc").select_option("hex")
    expect(editor).to_have_value("7b 22 6e 22 3a 31 2e 31 30 7d")
    view.get_by_label("form of doc").select_option("text")
    expect(editor).to_have_value('{"n":1.10}')
    editor.fill('{"n":')
    view.get_by_label("form of doc").select_option("json")
    expect(view.locator(".washnb-complaint", has_text="JSON")).to_be_visible()
    expect(editor).to_have_value('{"n":')
    editor.fill('{"n": 2}')
    view.get_by_role("button", name="Save").click()
    row = view.locator("tr", has=page.page.get_by_role("button", name="doc", exact=True))
    expect(row).to_contain_text('{ "n": 2 }')
    view.get_by_role("button", name="raw", exact=True).click()
    expect(view.get_by_label("value of raw")).to_have_value("ff 0d 00")
    expect(view.get_by_label("form of raw").locator("option")).to_have_text(["hex"])
    view.get_by_role("button", name="Delete", exact=True).click()
    view.get_by_role("button", name="Delete?").click()
    expect(view.get_by_role("button", name="raw", exact=True)).to_have_count(0)


def test_blobs_come_and_go_through_the_page(page, folder):
    """An object is looked at, fetched as it is, and brought in parts; all of it with the keyboard at hand."""
    from playwright.sync_api import expect

    for cell in (0, 6, 7):
        page.run(cell)
    view = page.output(7).locator(".washnb")
    view.get_by_role("button", name="a.json").focus()
    page.page.keyboard.press("Enter")
    expect(view.locator("pre")).to_have_text('{\n  "n": 1\n}')
    with page.page.expect_download() as download:
        view.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes() == b'{"n": 1}'

    content = bytes(range(256)) * 5_000  # three parts
    (folder / "large.bin").write_bytes(content)
    view.get_by_label("container", exact=True).fill("brought")
    view.get_by_label("files").set_input_files(folder / "large.bin")
    view.get_by_role("button", name="Upload").click()
    view.get_by_role("button", name="large.bin").click()
    expect(view.get_by_text("the first 64 KiB")).to_be_visible()
    with page.page.expect_download() as download:
        view.get_by_role("button", name="Download").first.click()
    assert Path(download.value.path()).read_bytes() == content
    view.get_by_role("button", name="Delete container").first.click()
    view.get_by_role("button", name="Delete container?").click()
    expect(view.get_by_role("button", name="large.bin")).to_have_count(0)

    page.run(11)  # the one object that was asked for is open at once
    expect(page.output(11).locator(".washnb pre")).to_have_text('{\n  "n": 1\n}')


def test_messages_are_sent_from_the_page(page):
    """What is published is handled and listed, a request shows its reply, a filter leaves out, and nobody is seen."""
    from playwright.sync_api import expect

    for cell in (0, 8, 9):
        page.run(cell)
    view = page.output(9).locator(".washnb")

    def send(subject: str, body: str, how: str) -> None:
        view.get_by_label("subject", exact=True).fill(subject)
        view.get_by_label("body", exact=True).fill(body)
        view.get_by_role("button", name=how, exact=True).click()

    send("tasks.shout", "<b>hello</b>", "Request")
    expect(view.locator(".washnb-answer")).to_have_text("<B>HELLO</B>")
    send("nobody.here", "x", "Publish")
    expect(view.locator(".washnb-answer")).to_have_text("published to nobody.here: nobody took it")
    expect(view.locator("li", has_text="nobody.here").get_by_role("img", name="nobody took it")).to_be_visible()
    view.get_by_label("filter by subject").fill("tasks.*")
    expect(view.locator("li")).to_have_count(2)
    expect(view.get_by_role("button", name="Reply")).to_have_count(0)
    send("nobody.here", "x", "Request")
    expect(view.get_by_role("alert").first).to_contain_text("no responders")


def test_trace_opens_and_filters(page):
    """A request opens to its calls, a call to its values and what they changed, by keyboard; new requests come in."""
    from playwright.sync_api import expect

    for cell in (0, 3, 10, 17):
        page.run(cell)
    view = page.output(10).locator(".washnb")
    requests = view.locator(".washnb-request")
    expect(requests).to_have_count(2)
    requests.first.get_by_role("button").focus()
    for key in ("End", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowDown"):
        page.page.keyboard.press(key)
    expect(view.get_by_role("button", name="increment")).to_be_focused()
    page.page.keyboard.press("Enter")
    facts = view.locator(".washnb-facts")
    expect(facts.get_by_role("row", name="changed")).to_contain_text("default / x: 1 → 2")
    expect(page.output(17).get_by_role("button", name="increment")).to_be_visible()  # a closer look begins with calls
    page.run(3)
    expect(requests).to_have_count(3)
    expect(facts).to_be_visible()
    view.get_by_label("filter functions").fill("increment")
    expect(view.locator(".washnb-call:not(.washnb-request)")).to_have_count(3)
    page.run(18)
    page.run(3)
    injected = requests.last
    expect(injected.get_by_role("button", name="⚡ 1 injected")).to_be_visible()
    expect(injected.get_by_role("img", name="injected by a fault")).to_have_text("⚡")
    expect(view.get_by_role("button", name="injected")).to_have_count(1)
    view.get_by_label("in trouble").check()
    expect(view).to_contain_text("nothing here passes the filters")


def test_trace_follows_its_end_and_shows_all_of_a_request(page):
    """Who looks at the end sees what comes; who has scrolled, what was there. Of many calls the rest is asked for."""
    from playwright.sync_api import expect

    for cell in (0, 10, 19):
        page.run(cell)
    view = page.output(10).locator(".washnb")
    frame = view.locator(".washnb-timeline")
    expect(view).to_contain_text("and 50 older requests; 21 before these are forgotten")
    assert frame.evaluate("node => node.scrollHeight - node.scrollTop - node.clientHeight") < 8
    frame.evaluate("node => node.scrollTop = 500")
    top = "node => node.getBoundingClientRect().top - node.closest('.washnb-timeline').getBoundingClientRect().top"
    place = view.locator(".washnb-request").nth(30).evaluate(top)
    page.run(20)
    expect(view.locator(".washnb-request").last).to_contain_text("looper.increment")
    assert abs(view.locator(".washnb-request").nth(29).evaluate(top) - place) < 2
    many = view.get_by_role("button", name="looper.increment")
    many.press("ArrowRight")
    expect(view.get_by_role("button", name="increment(")).to_have_count(99)
    view.get_by_role("button", name="show 51 of 51 more calls").press("Enter")
    expect(view.get_by_role("button", name="increment(")).to_have_count(150)
    expect(view.get_by_role("button", name="→ 100", exact=False).last).to_be_focused()
    view.get_by_label("filter functions").fill("open")
    expect(view).to_contain_text("calls are not here: %wash trace takes these filters, too")


def test_breakpoint_is_a_prompt_in_the_cell(page):
    """The guest's arguments are read and a variable set; the guest waits longer than its time, and gets the answer."""
    from playwright.sync_api import expect

    for cell in (0, 12):
        page.run(cell)
    page.begin(13)
    typed = page.output(13).locator("input.jp-Stdin-input")
    for line in ("p sides + 36", "answer = 3"):
        expect(typed).to_be_editable()
        typed.fill(line)
        typed.press("Enter")
        page.page.wait_for_timeout(700)
    expect(page.output(13)).to_contain_text("42")
    typed.fill("c")
    typed.press("Enter")
    expect(page.output(13)).to_contain_text("You rolled 3")


def test_a_call_is_answered_on_the_page_while_the_cell_waits(page):
    """The form in that cell shows the call and its types; what is no answer is told; the guest goes on with one."""
    from playwright.sync_api import expect

    page.run(14)
    expect(page.output(14).locator(".washnb")).to_contain_text("no call waits for an answer")
    page.begin(15)
    form = page.output(15).locator(".washnb li")
    expect(form).to_contain_text("lucky calls roll of workshop:dice/roll@0.1.0")
    expect(form).to_contain_text("roll: func(sides: u32) -> u32")
    expect(form.get_by_role("button", name="Pass on")).to_be_hidden()
    form.get_by_role("switch", name="as an expression").check()
    answer = form.get_by_label("answer: int")
    answer.fill("'six'")
    answer.press("Enter")
    expect(form.locator(".washnb-complaint")).to_contain_text("the answer is u32, not 'six'")
    answer.fill("2 + 4")
    answer.press("Enter")
    expect(page.output(15)).to_contain_text("lucky called roll(sides=6): 2 + 4")
    expect(form).to_have_count(0)


def test_a_call_is_answered_at_the_prompt_where_no_page_can(page):
    """A front end whose messages wait for the cell shows the form as well; it says that the prompt asks."""
    from playwright.sync_api import expect

    page.page.evaluate("() => { window.jupyterapp.serviceManager.kernels.commsOverSubshells = 'disabled' }")
    page.begin(16)
    for function, line in (("open(", "pass"), ("increment(", "41")):
        expect(page.output(16)).to_contain_text(function)
        field = page.output(16).locator(".jp-Stdin-input").last
        field.fill(line)
        field.press("Enter")
    expect(page.output(16)).to_contain_text("41\n")
