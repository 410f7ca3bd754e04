"""TAB after `%wash`."""

from __future__ import annotations

from pathlib import Path

import pytest

from washnb import Session
from washnb.notebook.completion import candidates
from washnb.notebook.reaching import asked, documentation
from washnb.notebook.verbs import VERBS

CARTS = Path(__file__).parent.parent / "components" / "carts.wat"


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("%wash lo", ["load", "logs"]),
        ("x = %wash lo", ["load", "logs"]),
        ("%%wash se", ["send", "serve"]),
        ("%wash load --al", ["--allow-host"]),
        ("%wash trace ", ["on", "off", "last", "clear", "save"]),
        ("%wash attach key", ["keyvalue"]),
        ("%wash load x --attach lo", ["logging", "logs"]),
        ("%wash send P", ["POST", "PUT", "PATCH"]),
        ("%wash help rel", ["reload"]),
        ("%wash logs --level err", ["error"]),
        ("%wash load example:co", ["example:counter"]),
    ],
)
def test_words_and_options_are_offered(notebook, line, offered):
    """Verbs, options, choices, plugins, methods and examples complete without a host."""
    assert notebook.complete(line) == offered


def test_whatever_a_verb_declares_is_looked_for():
    """There is no kind of word that completion does not know."""
    for verb in VERBS.values():
        for option in verb.parser().options():
            candidates(f"{verb.name} {option} ", Session(), {})
        for before in ("", " x", " x y"):
            candidates(f"{verb.name}{before} ", Session(), {})


def test_second_line_of_a_cell_completes(notebook):
    """The magic may stand on any line."""
    assert notebook.complete("x = 1\n%wash unl") == ["unload"]


def test_names_of_what_is_loaded_are_offered(notebook):
    """Workloads, exports, buckets and attached plugins come from the session."""
    notebook.run("%wash load example:adder\n%wash load example:counter --attach keyvalue\n%wash send /x")
    assert notebook.complete("%wash unload a") == ["adder"]
    assert notebook.complete("%wash send --to co") == ["counter"]
    assert notebook.complete("%wash call adder.") == ["adder.add("]
    assert notebook.complete("%wash kv ") == ["default"]
    assert notebook.complete("%wash detach w") == ["wasi-keyvalue"]
    assert notebook.complete("%wash inspect ad") == ["adder"]
    assert notebook.complete("%wash trace --interface wasi:keyvalue/s") == ["wasi:keyvalue/store@0.2.0-draft"]


def test_what_is_kept_is_offered(notebook, tmp_path, monkeypatch):
    """Keys stand behind their bucket, objects behind their container, and snapshots and files behind restore."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "before.json").touch()
    assert notebook.complete("%wash restore be") == ["before.json"]
    assert notebook.complete("%wash kv default ") == [""]
    notebook.run("%wash load example:counter --attach keyvalue\n%wash send /apples\nbefore = %wash snapshot")
    assert notebook.complete("%wash blobs gallery ") == [""]
    notebook.run("%wash load example:gallery --attach blobstore\n%wash send PUT /a.png -d x")
    assert notebook.complete("%wash restore be") == ["before", "before.json"]
    assert notebook.complete("%wash blobs gallery ") == ["a.png"]
    notebook.run("%wash send / --to counter")
    assert notebook.complete("%wash kv default ap") == ["apples"]
    assert notebook.complete("%wash kv nothing ") == [""]


def test_parts_of_names_complete_where_no_name_begins_so(notebook):
    """`plugin new` takes the interface alone, and `fault` a function of it: so does TAB, behind the usual names."""
    assert notebook.complete("%wash plugin new st") == ["st"]
    notebook.run("%wash load example:counter --attach keyvalue")
    assert notebook.complete("%wash plugin new sto") == ["store"]
    assert notebook.complete("%wash plugin new keyvalue/a") == ["keyvalue/atomics"]
    assert notebook.complete("%wash plugin new keyvalue") == ["keyvalue/atomics", "keyvalue/store"]  # alone it is two
    assert notebook.complete("%wash plugin new wasi:keyvalue/s") == ["wasi:keyvalue/store@0.2.0-draft"]
    assert notebook.complete("%wash fault store.") == ["store.open"]
    assert notebook.complete("%wash fault keyv") == ["keyvalue.open", "keyvalue.increment"]


def test_errors_of_a_target_are_offered(notebook):
    """Behind `fault TARGET --error` stand the cases of its WIT error, of several functions those that all have."""
    assert notebook.complete("%wash fault keyvalue.get --error ") == [""]
    notebook.run("%wash load example:counter --attach keyvalue\n%wash load example:proxy")
    cases = ["no-such-store", "access-denied", "other"]
    assert notebook.complete("%wash fault keyvalue.increment --error ") == cases
    assert notebook.complete("%wash fault keyvalue --after 1 --error ") == cases
    assert notebook.complete("%wash fault http.handle --error 'connection-ref") == ["'connection-refused'"]
    assert notebook.complete("%wash fault http --error ") == [""]  # most of its functions have none
    assert notebook.complete("%wash fault keyvalue.nothing --error ") == [""]


def test_files_and_variables_are_offered(notebook, tmp_path, monkeypatch):
    """Components and folders for load, any file behind -d @, names of bytes and of plugin classes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "guest.wasm").touch()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "deep.wat").touch()
    notebook.run("blob = b'x'\nfrom washnb import Interface\nclass Roll(Interface, wit='a:b/c'): pass")
    assert notebook.complete("%wash load gu") == ["guest.wasm"]
    assert notebook.complete("%wash load fo") == ["folder/"]
    assert notebook.complete("%wash load folder/") == ["folder/deep.wat"]
    assert notebook.complete("%wash load blo") == ["blob"]
    assert notebook.complete("%wash send /x -d @no") == ["@notes.txt"]
    assert notebook.complete("%wash trace save fo") == ["folder/"]
    assert notebook.complete("%wash attach Ro") == ["Roll"]


def test_names_with_spaces_are_quoted(notebook, tmp_path, monkeypatch):
    """What is offered can be used as it stands, and a quote that was opened is closed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my guest.wasm").touch()
    (tmp_path / "my folder").mkdir()
    assert notebook.complete("%wash load my") == ['"my folder/', '"my guest.wasm"']
    assert notebook.complete("%wash load 'my g") == ["'my guest.wasm'"]
    notebook.run("%wash load example:adder --as 'my adder'")
    assert notebook.complete("%wash send / --to ") == ['"my adder"']
    assert notebook.complete("%wash send / --to 'my adder' --time") == ["--timeout"]
    assert notebook.complete('%wash unload "nobody') == ['"nobody']


def test_exports_are_offered_as_call_takes_them(notebook):
    """A name with a space or a dot stands in quotes, also where it was begun without; what is offered can be run."""
    notebook.run("%wash load example:adder --as 'my adder'\n%wash load example:adder --as a.b")
    offered = ['"my adder".add(', '"a.b".add(']
    assert notebook.complete("%wash call ") == offered
    assert notebook.complete("%wash call my") == offered[:1]
    assert notebook.complete('%wash call "my adder".a') == offered[:1]
    for call in (*offered, "my adder.add(", "a.b.add("):
        assert notebook.run(f"%wash call {call}1, 2)").result == 3


def test_exports_of_a_workload_are_its_attributes(notebook):
    """Behind `wash["NAME"].` stand its exports and verbs, and nothing that is only for us."""
    notebook.run("%wash load example:adder --as 'my adder'")
    assert notebook.complete('wash["my adder"].') == [
        *("add", "exports", "inspect", "name", "reload", "state", "unload"),
    ]
    assert notebook.complete("x = wash['my adder'].a") == ["add"]


@pytest.mark.parametrize("line", ["%wash serve ", "%wash nosuch ", "%wash kv ", "%wash load 'a' 'b' "])
def test_where_there_is_nothing_to_offer_nothing_is(notebook, line):
    """No word of Python's stands where it would be wrong."""
    assert notebook.complete(line) in ([], [""])


def test_keys_are_offered(notebook):
    """Names of workloads, buckets and keys complete between brackets, too."""
    notebook.run("%wash load example:counter --attach keyvalue\n%wash send /x")
    assert notebook.session._ipython_key_completions_() == ["counter"]
    assert notebook.session.kv._ipython_key_completions_() == ["default"]
    assert notebook.session.kv["default"]._ipython_key_completions_() == ["x"]


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ('wash.kv["', ["default"]),
        ("x = wash.kv['default']['", ["x"]),
        ('wash.config["gr', ["greeting"]),
        ('wash.blobs["', [""]),
        ('wash.kv["nosuch"]["', [""]),
    ],
)
def test_keys_of_views_are_offered_behind_the_session(notebook, line, offered):
    """As where the view has a name of its own, and none of IPython's magics in their place."""
    assert notebook.complete('wash.kv["de') == ["de"]
    notebook.run("%wash load example:counter --attach keyvalue\n%wash send /x")
    notebook.run("%wash load example:greeter --attach config --attach logging --config greeting=Ahoy")
    assert notebook.complete(line) == offered


def test_other_lines_are_left_alone(notebook):
    """Only lines of %wash are completed in this way."""
    notebook.shell.Completer.use_jedi = False  # it takes seconds to come up
    assert "wash" in notebook.complete("was")


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ('wash["carts"].price?', "(item: Item, from_: Discount) -> int"),
        (
            "x = 1\nwash['carts'].exports[\"docs:shop/carts\"].Cart.put?",
            "put: func(self: borrow<cart>, count: u32) -> u32",
        ),
        ('wash["carts"]?', "A loaded workload."),
    ],
)
def test_a_question_mark_documents_an_export(notebook, cell, said):
    """IPython alone looks for what stands behind the last bracket."""
    notebook.run(f"wash.load({str(CARTS)!r})")
    ran = notebook.run(cell)
    assert ran.error is None
    assert said in ran.text
    notebook.run("%unload_ext washnb")
    assert not notebook.shell.input_transformers_cleanup.count(asked)


def test_an_argument_is_completed_as_well(notebook):
    """A second workload in the line has nothing to do with the first."""
    notebook.run(f"wash.load({str(CARTS)!r})")
    assert notebook.complete('wash["carts"].price(wash["carts"].It') == ["Item"]


def test_types_are_documented_with_what_they_are(notebook):
    """The cases of a variant and what each takes, the fields of a record, and their definitions in WIT."""
    notebook.run(f"wash.load({str(CARTS)!r})")
    for code, said in (
        ("Discount", "Discount_Nothing()\nDiscount_Percent(value: int)\n\nvariant discount { nothing, percent(u32) }"),
        ("Discount_Percent(", "Discount_Percent(value: int)\n\nvariant discount { nothing, percent(u32) }"),
        ("Item", "Item(count: int, cents: int)\n\nrecord item { count: u32, cents: u32 }"),
    ):
        assert documentation(f'wash["carts"].{code}', 14 + len(code), notebook.session) == said


@pytest.mark.slow
def test_what_is_reached_through_a_workload_is_completed(notebook):
    """Classes and their members, interfaces by name, and what is in them."""
    notebook.run(f"wash.load({str(CARTS)!r})")
    assert notebook.complete('wash["carts"].Ca') == ["Cart"]
    assert "put" in notebook.complete('wash["carts"].Cart.')
    assert notebook.complete('wash["carts"].exports["do') == ["docs:shop/carts@0.1.0"]
    assert notebook.complete('x = wash["carts"].exports["docs:shop/carts"].pri') == ["price"]
    assert notebook.complete('wash["carts"].nope.') == []


@pytest.mark.parametrize("ending", ["", "(", "(3, "])
def test_the_export_at_the_cursor_is_documented(notebook, ending):
    """Its signature, and the WIT."""
    notebook.run(f"wash.load({str(CARTS)!r})")
    for code, said in (
        (f'wash["carts"].price{ending}', "price(item: Item, from_: Discount) -> int\n\nprice: func(item: item, from"),
        (f'print(wash["carts"].exports["docs:shop/carts"].Cart{ending}', "Cart(size: int)\n\nresource cart"),
    ):
        assert documentation(code, len(code), notebook.session).startswith(said)
    assert documentation("print(1)", 8, notebook.session) is None
