"""A program that runs a command for as long as the process that started this program lives, even if that is killed.

    python supervisor.py OWNER DIRECTORY COMMAND...

OWNER is the id of the process that started this program, and holds the other end of its standard input. The command is
terminated when anything comes from there, when the input ends, or when OWNER is no longer the parent of this program: a
fork of OWNER holds the input open, too, and may live longer. When the command has ended, DIRECTORY is removed.
"""

import os
import select
import shutil
import subprocess
import sys
import threading

TERMINATE_SECONDS = 5.0  # that the command has to end before it is killed
LOOK_SECONDS = 1.0  # between two looks whether OWNER lives


def main(owner: str, directory: str, *command: str) -> int:
    """Run the command, and return its exit code."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - it is what the starter asked for

    def end_with_input() -> None:
        while not select.select([0], [], [], LOOK_SECONDS)[0] and os.getppid() == int(owner):
            pass
        server.terminate()
        try:
            server.wait(TERMINATE_SECONDS)
        except subprocess.TimeoutExpired:
            server.kill()

    threading.Thread(target=end_with_input, daemon=True).start()
    code = server.wait()
    shutil.rmtree(directory, ignore_errors=True)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
