"""Runs a command as long as its own standard input is open: who started it holds the other end, and may be killed.

    python local_nats_supervisor.py DIRECTORY COMMAND...

When the input ends, the command is terminated; when the command has ended, DIRECTORY is removed.
"""

import os
import shutil
import subprocess
import sys
import threading

TERMINATE_SECONDS = 5.0


def main(directory: str, *command: str) -> int:
    """Run the command, and return its exit code."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603 - it is what the starter asked for

    def end_with_input() -> None:
        os.read(sys.stdin.fileno(), 1)  # nobody writes: it returns at the end; sys.stdin has a lock that stops the exit
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
