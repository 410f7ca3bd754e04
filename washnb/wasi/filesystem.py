"""wasi:filesystem without directories: components that import it link, and the functions return errors."""

from __future__ import annotations

import enum

from washnb.engine import Interface, resource

from .io import Error
from .refusal import refusal


class ErrorCode(enum.Enum):
    """Why an operation on a file failed: error-code of wasi:filesystem/types."""

    ACCESS = "access"
    WOULD_BLOCK = "would-block"
    ALREADY = "already"
    BAD_DESCRIPTOR = "bad-descriptor"
    BUSY = "busy"
    DEADLOCK = "deadlock"
    QUOTA = "quota"
    EXIST = "exist"
    FILE_TOO_LARGE = "file-too-large"
    ILLEGAL_BYTE_SEQUENCE = "illegal-byte-sequence"
    IN_PROGRESS = "in-progress"
    INTERRUPTED = "interrupted"
    INVALID = "invalid"
    IO = "io"
    IS_DIRECTORY = "is-directory"
    LOOP = "loop"
    TOO_MANY_LINKS = "too-many-links"
    MESSAGE_SIZE = "message-size"
    NAME_TOO_LONG = "name-too-long"
    NO_DEVICE = "no-device"
    NO_ENTRY = "no-entry"
    NO_LOCK = "no-lock"
    INSUFFICIENT_MEMORY = "insufficient-memory"
    INSUFFICIENT_SPACE = "insufficient-space"
    NOT_DIRECTORY = "not-directory"
    NOT_EMPTY = "not-empty"
    NOT_RECOVERABLE = "not-recoverable"
    UNSUPPORTED = "unsupported"
    NO_TTY = "no-tty"
    NO_SUCH_DEVICE = "no-such-device"
    OVERFLOW = "overflow"
    NOT_PERMITTED = "not-permitted"
    PIPE = "pipe"
    READ_ONLY = "read-only"
    INVALID_SEEK = "invalid-seek"
    TEXT_FILE_BUSY = "text-file-busy"
    CROSS_DEVICE = "cross-device"


_refuse = refusal(ErrorCode.BAD_DESCRIPTOR)


@resource("descriptor")
class Descriptor:
    """An open file or directory. No guest can get one, for none has a directory; operations raise bad-descriptor."""

    get_flags = get_type = stat = metadata_hash = _refuse
    read = read_via_stream = advise = _refuse
    write = write_via_stream = append_via_stream = set_size = set_times = sync = sync_data = _refuse
    read_directory = open_at = stat_at = metadata_hash_at = readlink_at = _refuse
    create_directory_at = link_at = symlink_at = rename_at = set_times_at = _refuse
    remove_directory_at = unlink_file_at = _refuse

    def is_same_object(self, other: Descriptor) -> bool:
        """Whether both are the same open file."""
        return self is other


@resource("directory-entry-stream")
class DirectoryEntryStream:
    """The entries of a directory, one after the other."""

    def read_directory_entry(self) -> None:
        """Return None: there is no entry."""


class Types(Interface, wit="wasi:filesystem/types@0.2.12"):
    """wasi:filesystem/types: descriptors, and the error codes behind the errors of streams."""

    Descriptor = Descriptor
    DirectoryEntryStream = DirectoryEntryStream

    def filesystem_error_code(self, error: Error) -> ErrorCode | None:
        """Return the error code behind a stream's error; None where the stream was not that of a file."""
        return error.cause if isinstance(error.cause, ErrorCode) else None


class Preopens(Interface, wit="wasi:filesystem/preopens@0.2.12"):
    """wasi:filesystem/preopens: the directories that a guest may use."""

    def get_directories(self) -> list[tuple[Descriptor, str]]:
        """Return the directories that the guest may use: none."""
        return []
