"""Has the real Azure CLI parse calls without making them: one JSON array of words per line of
standard input. Ends with 1 and says why if it does not understand one."""
import json
import sys

from azure.cli.core import get_default_cli

cli = get_default_cli()


def parse(words):
    """Goes as far as the CLI itself before it would call Azure."""
    cli.invocation = cli.invocation_cls(
        cli_ctx=cli,
        parser_cls=cli.parser_cls,
        commands_loader_cls=cli.commands_loader_cls,
        help_cls=cli.help_cls,
    )
    invocation, loader = cli.invocation, cli.invocation.commands_loader
    loader.load_command_table(words)
    command = invocation._rudimentary_get_command(words)
    # Which arguments a command has is looked up by these.
    invocation.data["command"] = invocation.data["command_string"] = command
    loader.load_arguments(command)
    invocation.parser.load_command_table(loader)
    return invocation.parser.parse_args(words).command


refused = 0
for line in sys.stdin:
    words = json.loads(line)
    try:
        print(parse(words))
    except SystemExit:
        # The CLI has said on standard error what it does not like.
        print("refused:", " ".join(words))
        refused += 1
sys.exit(1 if refused else 0)
