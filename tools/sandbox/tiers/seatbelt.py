"""The profile for macOS's sandbox-exec. Written after its documentation and checked as text: never run by us.

The profile stands around the zygote and its children, which have to share it: an agent may fork there, and only
the resource limits and the supervisor's clock hold it.
"""

from __future__ import annotations

from collections.abc import Sequence

_SYSTEM = ("/usr/lib", "/System/Library", "/usr/share/zoneinfo", "/private/var/db/dyld", "/dev/null", "/dev/urandom")


def profile(*, executable: str, files: Sequence[str], roots: Sequence[str], holes: Sequence[str], scratch: str) -> str:
    """Deny everything; then reading of the interpreter and packages without the holes, writing of the scratch."""
    read = [*_SYSTEM, executable, *files, *roots]
    return "\n".join(
        [
            "(version 1)",
            "(deny default)",
            "(deny network*)",
            "(deny process-exec*)",
            f"(allow process-exec (literal {_quoted(executable)}))",
            "(allow process-fork)",
            "(allow signal (target children) (target self))",
            "(allow sysctl-read)",
            "(allow file-read-metadata)",
            *(f"(allow file-read* (subpath {_quoted(path)}))" for path in read),
            *(f"(deny file-read* (subpath {_quoted(path)}))" for path in holes),
            f"(allow file-read* file-write* (subpath {_quoted(scratch)}))",
            '(allow file-write-data (literal "/dev/null"))',
            "",
        ]
    )


def command(worker: Sequence[str], *, executable: str, text: str) -> list[str]:
    return ["sandbox-exec", "-p", text, executable, *worker]


def _quoted(path: str) -> str:
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
