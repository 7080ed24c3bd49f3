"""The `sigmaloop` command: finds the sub-command, loads only that one, and turns errors into messages."""

from __future__ import annotations

import json
import sys
from importlib import import_module

import click

COMMANDS = {
    "init": ("sigmaloop.cli.init:init", "Write an agent, a benchmark and settings to start from."),
    "run": ("sigmaloop.cli.run:run", "Improve an agent: traffic, failures, changes, gates."),
    "resume": ("sigmaloop.cli.run:resume", "Continue an interrupted or paused run."),
    "status": ("sigmaloop.cli.status:status", "Show what a run has found so far."),
    "report": ("sigmaloop.cli.report:report", "Write and show the page of a run."),
    "attempts": ("sigmaloop.cli.attempts:attempts", "List the attempts of a run, or show one."),
    "clusters": ("sigmaloop.cli.attempts:clusters", "List the failure clusters of a run, or show one."),
    "failures": ("sigmaloop.cli.attempts:failures", "List the mined failures of a run, or show one."),
    "diff": ("sigmaloop.cli.attempts:diff", "Show what an attempt, or the whole run, changed."),
    "compare": ("sigmaloop.cli.compare:compare", "Compare two runs, or two agent files."),
    "plan": ("sigmaloop.cli.plan:plan", "Estimate what a run can detect and what it costs."),
    "gate": ("sigmaloop.cli.gate:gate", "Explain a decision from its log, or judge a hand-made change."),
    "selftest": ("sigmaloop.cli.selftest:selftest", "Test the gate in synthetic worlds."),
    "eval": ("sigmaloop.cli.score:score", "Score any agent file on a benchmark."),
    "benchmark": (
        "sigmaloop.cli.benchmark:benchmark",
        "List benchmarks, or check that one keeps its contract.",
    ),
    "trace": ("sigmaloop.cli.trace:trace", "Show what an agent did in a rollout, or list the rollouts."),
    "mine": ("sigmaloop.cli.mine:mine", "Report why conversations of stored traces failed."),
    "doctor": ("sigmaloop.cli.doctor:doctor", "Check this machine and attack its sandbox."),
    "apply": ("sigmaloop.cli.apply:apply", "Take the kept agent as a branch, a patch or a file."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported only when they are called: `--help` answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="sigmaloop")
def cli() -> None:
    """SigmaLoop makes an LLM agent better overnight, and proves it.

    Start with `sigmaloop run`. Without an API key it uses the simulated model. Runs are stored in .sigmaloop/
    (change it with --home or SIGMALOOP_HOME). Flags override SIGMALOOP_* variables, which override sigmaloop.toml.
    """


def main(argv: list[str] | None = None) -> None:
    """Entry point: exit code 0 done, 2 bad input, 3 paused or machine trouble, 130 stopped by a signal."""
    arguments = sys.argv[1:] if argv is None else argv
    try:
        code = cli.main(args=arguments, prog_name="sigmaloop", standalone_mode=False)
    except click.exceptions.Abort:
        code = 130
    except click.ClickException as error:
        code = _misused(error, as_json="--json" in arguments)
    except KeyboardInterrupt:
        code = 130
    except BrokenPipeError:
        code = 141
    except Exception as error:
        code = _explain(error, as_json="--json" in arguments)
    sys.exit(code if isinstance(code, int) else 0)


def _misused(error: click.ClickException, *, as_json: bool) -> int:
    """Print what is wrong with the command line, in the form that was asked for."""
    if as_json:
        _tell_json(error.format_message(), error, error.exit_code)
    else:
        error.show()
    return error.exit_code


def _explain(error: Exception, *, as_json: bool) -> int:
    """Print a SigmaLoopError as a message; anything else is a bug and keeps its traceback."""
    from sigmaloop.cli.terminal import tell
    from sigmaloop.errors import SigmaLoopError

    if not isinstance(error, SigmaLoopError):
        raise error
    if as_json:
        _tell_json(str(error), error, error.exit_code)
    else:
        tell(f"sigmaloop: {error}", fg="red", err=True)
    return error.exit_code


def _tell_json(message: str, error: Exception, code: int) -> None:
    click.echo(json.dumps({"error": message, "kind": type(error).__name__, "exit_code": code}))


if __name__ == "__main__":
    main()
