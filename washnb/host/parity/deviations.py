"""Where washnb differs from wash-runtime on purpose, row by row, and how to see that a workload relies on it.

The table in ARCHITECTURE.md has the same rows.
"""

from __future__ import annotations

from washnb.errors import WorkloadBusy
from washnb.events import CLIENT_GONE, HostCall, LogLine, MessageHandled, RequestHandled

from ..recording import CaseValue, text_of
from .deviation import Deviation

_MEBIBYTE = 1024 * 1024
_TOO_LATE = 504
_NOTHING = CaseValue("none")
_OTHER_ERRORS = (
    "TLS-certificate-error",
    "destination-IP-unroutable",
    "HTTP-response-incomplete",
    "HTTP-response-header",
)


def _any_call(_: HostCall) -> bool:
    return True


def _not_permitted(call: HostCall) -> bool:
    return call.error is not None and "access-denied" in call.error.replace("_", "-").lower()


def _argument(call: HostCall, name: str) -> object:
    """Return the argument of that name; None where there is none, or where it is an option without a value."""
    value = dict(call.arguments).get(name)
    return None if value == _NOTHING else value


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


DEVIATIONS = (
    Deviation(
        "D01",
        "An import that nobody serves fails in the linker, at start, at the first call, or never.",
        "One error at start that names all of them, and the lines that serve them.",
        "It is to be known before the first request, and how to mend it.",
        made_of=lambda made: bool(made.missing),
    ),
    Deviation(
        "D02",
        "`DevRouter` answers nothing after the last workload resolved is stopped.",
        "It falls back to the workload resolved before it.",
        "Whoever unloads one of two workloads still wants answers of the other.",
    ),
    Deviation(
        "D03",
        "A guest that does not answer holds its request for ten minutes; one that spins cannot be stopped.",
        "30 s, then 504; a spinning guest is stopped like any other.",
        "Nobody at a notebook waits ten minutes for a mistake.",
        seen=lambda event: isinstance(event, RequestHandled) and event.status == _TOO_LATE,
    ),
    Deviation(
        "D04",
        "Requests in flight are not bounded.",
        "64 per workload, then 503.",
        "A flood must not take the memory of all.",
        seen=lambda event: isinstance(event, RequestHandled) and event.code == WorkloadBusy.code,
    ),
    Deviation(
        "D05",
        "`memory_limit_mb` is read and not used.",
        "It bounds each linear memory of the component; without it, 1 GiB where the host makes its own engine.",
        "Machines are shared, and a kernel that runs out of memory takes the notebook along.",
        made_of=lambda made: made.resources.memory_limit_mb >= 0,
    ),
    Deviation(
        "D06",
        "`on_workload_unbind` runs once per component, often with an empty set, and not after every failed bind.",
        "Once per workload, with the interfaces that were bound, also after a failed bind.",
        "A plugin gives back once what it took once.",
    ),
    Deviation(
        "D07",
        "stdout and stderr of guests go to the host's own.",
        "They are kept per component, as lines, with the logs.",
        "A notebook shows whose output it is.",
        seen=lambda event: isinstance(event, LogLine) and event.stream in {"stdout", "stderr"},
    ),
    Deviation(
        "D08",
        "State in memory goes at unbind.",
        "It goes at `workload_stop`; a reload in a notebook keeps it.",
        "Whoever works on a component goes on with its data.",
        made_of=lambda made: made.keeps_in_memory,
    ),
    Deviation(
        "D09",
        "HTTP/2, h2c and TLS at the server.",
        "HTTP/1.1.",
        "It is what aiohttp's server speaks; a proxy in front of it does the rest.",
    ),
    Deviation(
        "D10",
        "HTTP trailers reach the wire.",
        "Guests can write and read them; aiohttp cannot carry them.",
        "aiohttp has no way to.",
        called=lambda call: _argument(call, "trailers") is not None,
        function="[static]outgoing-body.finish",
    ),
    Deviation(
        "D11",
        "WASI 0.3 beside 0.2.",
        "WASI 0.2, any 0.2.x; 0.3 is named and refused.",
        "wasmtime's C API cannot carry its streams and futures yet.",
    ),
    Deviation(
        "D12",
        (
            "Outgoing requests: an untrusted certificate is TLS-protocol-error, a host that no route leads "
            "to connection-refused, a response that breaks off HTTP-protocol-error."
        ),
        (
            "TLS-certificate-error, destination-IP-unroutable, HTTP-response-incomplete; "
            "HTTP-response-header-size and its kin where a head is too large."
        ),
        "They are the cases that WIT has for these.",
        called=lambda call: any(each in text_of(call.result) for each in _OTHER_ERRORS),
        function="[method]future-incoming-response.get",
    ),
    Deviation(
        "D13",
        "`response-outparam.send-informational` traps.",
        "It returns the error that WIT has for it: nothing informational is sent.",
        "No guest should end for what WIT has an error for.",
        called=_any_call,
        function="[method]response-outparam.send-informational",
    ),
    Deviation(
        "D14",
        "An allowed host may carry user info, which is not looked at.",
        "Such an entry is refused, and what a request has before an `@` is not sent.",
        "A password in an address goes nowhere by mistake.",
    ),
    Deviation(
        "D15",
        "A log line of level critical becomes an error.",
        "It stays critical.",
        "WIT has both levels.",
        seen=lambda event: isinstance(event, LogLine) and event.level == "critical" and not event.host,
    ),
    Deviation(
        "D16",
        "A request goes on in the guest after its client has left.",
        "The guest is cancelled.",
        "Nobody would read the answer.",
        seen=lambda event: isinstance(event, RequestHandled) and event.status == CLIENT_GONE,
    ),
    Deviation(
        "D17",
        "`get-random-bytes` gives up to 64 MiB in a call.",
        "Up to 1 MiB.",
        "A list costs the host 0.1 s per MiB, in which nobody else is served.",
        called=lambda call: _number(_argument(call, "len")) > _MEBIBYTE,
        function="get-random-bytes",
    ),
    Deviation(
        "D18",
        "A blob in memory has at most 1,000,000 bytes.",
        "As many as there is memory for.",
        "The limit was a pipe's, not the interface's.",
    ),
    Deviation(
        "D19",
        "`move-object` in memory deletes the object also where its copy has failed.",
        "What is moved has one of its names at any moment.",
        "It was lost.",
        called=_any_call,
        function="move-object",
        failed=True,
    ),
    Deviation(
        "D20",
        (
            "On NATS the range of `get-data` is ignored, and `consume-sync` gives nothing; in memory the byte "
            "at `end` is left out."
        ),
        "Ranges hold on every backend, `end` included; `consume-sync` gives up to 8 MiB.",
        "So says the WIT; and a guest must not notice the backend.",
        called=_any_call,
        function="[method]container.get-data",
    ),
    Deviation(
        "D21",
        (
            "On NATS a workload may use the containers that `buckets` of its entry names, and no others; "
            "`read_only` has no effect."
        ),
        "On every backend it may use all where there is no `buckets`, and `read_only` holds.",
        "`attach` has granted the rest already; and what is written down has to hold.",
        made_of=lambda made: made.serves_from("wasi-blobstore", "nats"),
    ),
    Deviation(
        "D22",
        "Names of objects come as they lie; to delete an object that is not there is an error on some backends.",
        "Sorted; no error on any.",
        "A guest must not notice the backend.",
        called=_any_call,
        function="[method]container.list-objects",
    ),
    Deviation(
        "D23",
        "A message that cannot be published ends the guest.",
        "It gets the error that WIT has for it.",
        "No guest should end for what WIT has an error for.",
        called=_any_call,
        function="publish",
        failed=True,
    ),
    Deviation(
        "D24",
        (
            "In memory, messages stay in the workload that sends them, without queue groups; a request that "
            "nobody takes waits for its time to pass."
        ),
        "One broker for the host, with the subjects and groups of NATS; such a request fails at once.",
        "What works in memory works on a server.",
        made_of=lambda made: made.serves_from("wasmcloud-messaging", "memory"),
    ),
    Deviation(
        "D25",
        "`max_in_flight` and `admission_wait` that cannot be are passed over.",
        "The workload does not start, and the error names the key.",
        "A mistake is found where it was made.",
    ),
    Deviation(
        "D26",
        "Settings stay as they were when the workload was bound.",
        "Edits, and on NATS changes of the bucket `washnb-config`, are there at the next call.",
        "A notebook changes things while they run.",
    ),
    Deviation(
        "D27",
        "On NATS an `increment` that meets another one fails.",
        "It is tried again until it succeeds.",
        "Every guest would have to do it.",
    ),
    Deviation(
        "D28",
        "In files a counter is decimal text, and `increment` is not atomic; a key with a `/` needs a folder.",
        "Eight bytes, as in memory, atomic; any text is a key.",
        "No count is lost, and no name leads out of the directory.",
        made_of=lambda made: made.serves_from("wasi-keyvalue", "file"),
    ),
    Deviation(
        "D29",
        "A NATS server is written to, and its messages taken, wherever it is.",
        "One on another machine is only read until `--write` and `--join`.",
        "A notebook that somebody runs again must not change what others work with.",
    ),
    Deviation(
        "D30",
        "On NATS the cursor of `list-keys` counts the keys that were passed over.",
        "It is the revision at which the page ended.",
        "A key deleted between two pages must not hide another one.",
        called=lambda call: _argument(call, "cursor") is not None,
        function="[method]bucket.list-keys",
    ),
    Deviation(
        "D31",
        "wasi:keyvalue is 0.2.0-draft, and wasi:config is store.",
        "wasi:keyvalue 0.2.0-draft2, in each shape that `get-many` has had there, and wasi:config/runtime@0.2.0-draft "
        "as well.",
        "Guests for Spin and for older hosts ask for them.",
        called=_any_call,
        interface=r"@0\.2\.0-draft2$|^wasi:config/runtime@",
    ),
    Deviation(
        "D32",
        "What a server does not permit is the error `other`.",
        "`access-denied`, where the interface has it.",
        "WIT has a case for it.",
        called=_not_permitted,
        failed=True,
    ),
    Deviation(
        "D33",
        "Subjects of messages go to NATS as they are, some of which break its connection.",
        "Blanks, empty tokens, wildcards in what is published, and more than 1,024 bytes are an error that says why.",
        "One guest must not break the connection of all.",
    ),
    Deviation(
        "D34",
        "Messages in flight are bounded for the host, 128 or 133.",
        "32 per component, within the 64 of the workload.",
        "Nobody's messages hold up somebody else's.",
    ),
    Deviation(
        "D35",
        "A message is published once the client has it.",
        "Once the server has it, or has refused it.",
        "What was acknowledged is not lost.",
        made_of=lambda made: made.serves_from("wasmcloud-messaging", "nats"),
    ),
    Deviation(
        "D36",
        "A message that its handler fails at is logged; one that nobody takes in memory is gone.",
        "Each is an event, and a failure a line in the component's log.",
        "Whoever looks for it must find it.",
        seen=lambda event: isinstance(event, MessageHandled),
    ),
    Deviation(
        "D37",
        "A plugin serves every workload of its host for as long as that runs.",
        "It can be granted to workloads by name, taken back, and replaced while they run.",
        "To explore a capability is to take it away.",
    ),
    Deviation(
        "D38",
        "An `outgoing-value` that is dropped is stored.",
        "Only `finish` stores it; of a guest that traps in the midst nothing stays.",
        "Half an object is worse than none.",
    ),
    Deviation(
        "D39",
        "`created-at` is 0 on NATS, and what was deleted there counts as present.",
        "It is the time, and what was deleted is gone.",
        "A guest must not notice the backend.",
        made_of=lambda made: made.serves_from("wasi-blobstore", "nats"),
    ),
    Deviation(
        "D40",
        "A guest that may send messages can send to `$KV`, `$O` and `$JS`, and so change what it was not granted.",
        "Subjects that begin with `$` are the server's own, and refused.",
        "Deny by default holds on NATS, too.",
        called=lambda call: "the server's own" in (call.error or ""),
        function="publish",
    ),
)
"""All deviations, in the order of their ids."""
