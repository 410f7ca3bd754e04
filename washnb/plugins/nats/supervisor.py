"""Runs a command as long as its own standard input is open: who started it holds the other end, and may be killed.

    python supervisor.py OWNER DIRECTORY COMMAND...

When something comes from there, or the end, the command is terminated; when that has ended, DIRECTORY is removed.
A fork of the starter holds the other end, too, and may live longer: so the process OWNER is looked at as well.
"""

import os
import select
import shutil
import subprocess
import sys
import threading

TERMINATE_SECONDS = 5.0
LOOK_SECONDS = 1.0


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
