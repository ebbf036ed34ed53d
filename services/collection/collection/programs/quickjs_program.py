"""QuickJS as a program, with the options of its own that yt-dlp uses.

`--help` says the version; `--script FILE` runs a file. What runs has no files, no network and no
clock to wait for: of the world around it there is only `console.log`.
"""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

# A site's player is 3 MB, and its tree of statements some 200.
_MOST_BYTES, _MOST_CPU_S = 1 << 30, 120
# Of a thread's 8 MB; a program's tree is walked by recursion.
_STACK_BYTES = 6 << 20
# What has a limit of time can call nothing outside: it is asked for what it said when it has ended.
_CONSOLE = (
    "globalThis.__said = [];"
    "globalThis.console = {log: (...words) => { __said.push(words.join(' ') + '\\n') }};"
)


def main(arguments: list[str]) -> int:
    """Do what one of the two options asks for; 1 after `--help`, as QuickJS has it, and errors."""
    try:
        from quickjs import Context, JSException  # noqa: PLC0415 - what is not there is said

        found = version("quickjs-ng")
    except (ImportError, PackageNotFoundError):
        return _fail("there is no quickjs-ng here")
    if len(arguments) != 2 or arguments[0] != "--script":
        sys.stdout.write(f"QuickJS-ng version {found}\nusage: qjs --script FILE\n")
        return 1
    context = Context()
    context.set_memory_limit(_MOST_BYTES)
    context.set_time_limit(_MOST_CPU_S)
    context.set_max_stack_size(_STACK_BYTES)
    context.eval(_CONSOLE)
    try:
        context.eval(Path(arguments[1]).read_text(encoding="utf-8"))
    except JSException as error:
        return _fail(str(error))
    said = str(context.eval("__said.join('')"))
    sys.stdout.buffer.write(said.encode("utf-8", errors="backslashreplace"))
    return 0


def _fail(message: str) -> int:
    sys.stderr.write(f"{message}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
