"""What serves WIT interfaces to guests: the base of all plugins, and those that come with washnb.

Each capability is a folder, and the folders have the same files: `interface.py` is the WIT surface, written once over
the small protocol in `backend.py`; `in_memory.py`, `files.py` and `nats.py` are backends, with what these need beside
them. What belongs to no capability is here: the base of plugins and what is wrapped around them, the catalog, what
backends share of disks, and, in the folder `nats`, the connection that the NATS backends share.
"""

from washnb.engine import Err, Interface, Ok, Some, resource

from . import catalog
from .asking import Answerer, Ask, Asking, Question, Unserved
from .base import Attachable, BackendKind, HostPlugin, InterfacePlugin, State, WorkloadContext, WorkloadItem, as_plugin
from .blobstore import Backend as BlobstoreBackend
from .blobstore import (
    Blobstore,
    FilesystemBlobstore,
    InMemoryBlobstore,
    NatsBlobstore,
    NoSuchContainer,
    NoSuchObject,
    ObjectInfo,
)
from .config import SETTINGS_BUCKET, Config, DynamicConfig, NatsConfig
from .config import Backend as ConfigBackend
from .entry_points import RegisteredPlugin, registered_plugins
from .keyvalue import Backend as KeyValueBackend
from .keyvalue import FilesystemKeyValue, InMemoryKeyValue, KeyValue, NatsKeyValue, NoSuchBucket
from .logging import Logger, NatsLogger, TracingLogger
from .messaging import (
    INBOX,
    BrokerMessage,
    Hearing,
    InMemoryMessaging,
    Messaging,
    NatsMessaging,
    lasting_subject,
    subject_matcher,
)
from .nats import LocalNats, NatsServer
from .state import PerComponent, PerWorkload
from .unbroken import to_its_end
from .wrapper import Call, Wrapper, around, holds, layers, unwrapped

__all__ = [
    "INBOX",
    "SETTINGS_BUCKET",
    "Answerer",
    "Ask",
    "Asking",
    "Attachable",
    "BackendKind",
    "Blobstore",
    "BlobstoreBackend",
    "BrokerMessage",
    "Call",
    "Config",
    "ConfigBackend",
    "DynamicConfig",
    "Err",
    "FilesystemBlobstore",
    "FilesystemKeyValue",
    "Hearing",
    "HostPlugin",
    "InMemoryBlobstore",
    "InMemoryKeyValue",
    "InMemoryMessaging",
    "Interface",
    "InterfacePlugin",
    "KeyValue",
    "KeyValueBackend",
    "LocalNats",
    "Logger",
    "Messaging",
    "NatsBlobstore",
    "NatsConfig",
    "NatsKeyValue",
    "NatsLogger",
    "NatsMessaging",
    "NatsServer",
    "NoSuchBucket",
    "NoSuchContainer",
    "NoSuchObject",
    "ObjectInfo",
    "Ok",
    "PerComponent",
    "PerWorkload",
    "Question",
    "RegisteredPlugin",
    "Some",
    "State",
    "TracingLogger",
    "Unserved",
    "WorkloadContext",
    "WorkloadItem",
    "Wrapper",
    "around",
    "as_plugin",
    "catalog",
    "holds",
    "lasting_subject",
    "layers",
    "registered_plugins",
    "resource",
    "subject_matcher",
    "to_its_end",
    "unwrapped",
]
