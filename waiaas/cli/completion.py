"""`waiaas completion bash|zsh|fish`, generated from the parsers themselves."""

from collections.abc import Iterable, Iterator, Sequence

from waiaas.cli.output import Result
from waiaas.cli.vocabulary import FILE, FOLDER, Option, Word, global_options, words

TYPE_CHECKING = False  # importing `typing` is one of the things that every command saves (PRF-3)
if TYPE_CHECKING:
    import argparse


LINE = "\\n"  # between two words, as bash reads it inside of $'…'
BASH = """\
# waiaas completion for bash: eval "$(waiaas completion bash)"
_waiaas() {
    local IFS=$'\\n' word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}
    local command= action= found= files= i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
            @VALUED@) ((i++)) ;;
            -*) ;;
            *) if [ -z "$command" ]; then command=${COMP_WORDS[i]}
               elif [ -z "$action" ]; then action=${COMP_WORDS[i]}; fi ;;
        esac
    done
    case "$command $action $before" in
@VALUES@
        *)
            case "$command $action" in
@WORDS@
            esac
            case $word in -*) found+=$'\\n@GLOBAL@' ;; esac ;;
    esac
    COMPREPLY=($(compgen -W "$found" -- "$word"))
    case $files in
        file) COMPREPLY+=($(compgen -f -- "$word")) ;;
        folder) COMPREPLY+=($(compgen -d -- "$word")) ;;
        *) return ;;
    esac
    compopt -o filenames 2>/dev/null
}
complete -F _waiaas waiaas"""
ZSH = """\
#compdef waiaas
# waiaas completion for zsh: eval "$(waiaas completion zsh)", or save it as _waiaas in a folder of $fpath
_waiaas() {
    local command action word
    local -a found
    integer i
    for ((i = 2; i < CURRENT; i++)); do
        case $words[i] in
            @VALUED@) ((i++)) ;;
            -*) ;;
            *) if [[ -z $command ]]; then command=$words[i]
               elif [[ -z $action ]]; then action=$words[i]; fi ;;
        esac
    done
    case "$command $action $words[CURRENT-1]" in
@VALUES@
    esac
    case "$command $action" in
@WORDS@
    esac
    [[ $PREFIX == -* ]] && found+=(@GLOBAL@)
    _describe waiaas found
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
if [[ $funcstack[1] == _waiaas ]]; then _waiaas "$@"; else compdef _waiaas waiaas; fi"""


def run(args: "argparse.Namespace") -> Result:
    script = {"bash": _bash, "zsh": _zsh, "fish": _fish}[args.shell](words())
    return Result({"shell": args.shell, "script": script}, script, about_data=False)


def _paths(commands: Iterable[Word]) -> Iterator[tuple[str, Word]]:
    """Every `command` and `command action`, as the scripts' case statements match it."""
    for command in commands:
        yield f"{command.name} ", command
        for action in command.actions:
            yield f"{command.name} {action.name}", action


def _valued(commands: Sequence[Word]) -> str:
    """Options whose next word is their value, and no command. `--version` alone has none."""
    found = [option for _, word in _paths(commands) for option in word.options] + list(global_options())
    return "|".join(sorted({name for o in found if o.value for name in o.names} - {"--version"}))


def _filled(script: str, **parts: str) -> str:
    for name, text in parts.items():
        script = script.replace(f"@{name}@", text)
    return script


# --- bash -------------------------------------------------------------------------------------------


def _bash(commands: Sequence[Word]) -> str:
    names = LINE.join(command.name for command in commands)
    lines = [f"                ' ') found=$'{names}' ;;"]
    for path, word in _paths(commands):
        candidates = [*(action.name for action in word.actions), *_positional(word), *_longest(word.options)]
        files = f" files={_kind(word)}" if _kind(word) else ""
        lines.append(f"                '{path}') found=$'{LINE.join(candidates)}'{files} ;;")
    return _filled(
        BASH,
        VALUED=_valued(commands),
        VALUES="\n".join(_bash_values(commands)),
        WORDS="\n".join(lines),
        GLOBAL=LINE.join(_longest(global_options())),
    )


def _bash_values(commands: Sequence[Word]) -> Iterator[str]:
    for pattern, option in _values(commands):
        files = f" files={option.kind}" if option.kind else ""
        yield f"        {pattern}) found=$'{LINE.join(option.choices)}'{files} ;;"


def _values(commands: Sequence[Word]) -> Iterator[tuple[str, Option]]:
    """A pattern for `command action option` where a value comes next. Global options go last."""
    for path, word in _paths(commands):
        for option in word.options:
            if option.value:
                command, _, action = path.partition(" ")
                yield "|".join(f"'{command} '{action or '*'}' {name}'" for name in option.names), option
    for option in global_options():
        if option.value:
            yield "|".join(f"*' {name}'" for name in option.names), option


def _longest(options: Iterable[Option]) -> list[str]:
    return [option.names[-1] for option in options]


def _positional(word: Word) -> list[str]:
    return [choice for argument in word.arguments for choice in argument.choices]


def _kind(word: Word) -> str:
    """Whether a file may stand here."""
    return next((argument.kind for argument in word.arguments if argument.kind), "")


# --- zsh --------------------------------------------------------------------------------------------


def _zsh(commands: Sequence[Word]) -> str:
    lines = [f"        ' ') found=({_described((c.name, c.help) for c in commands)}) ;;"]
    for path, word in _paths(commands):
        pairs = [
            *((action.name, action.help) for action in word.actions),
            *((choice, "") for choice in _positional(word)),
            *((option.names[-1], option.help) for option in word.options),
        ]
        files = " _files" if _kind(word) == FILE else ""
        lines.append(f"        '{path}') found=({_described(pairs)});{files} ;;".replace(");;", ") ;;"))
    return _filled(
        ZSH,
        VALUED=_valued(commands),
        VALUES="\n".join(_zsh_values(commands)),
        WORDS="\n".join(lines),
        GLOBAL=_described((option.names[-1], option.help) for option in global_options()),
    )


def _zsh_values(commands: Sequence[Word]) -> Iterator[str]:
    for pattern, option in _values(commands):
        if option.choices:
            act = f"found=({_described((choice, '') for choice in option.choices)}); _describe waiaas found"
        else:
            act = {FILE: "_files", FOLDER: "_files -/"}.get(option.kind, f"_message {_quoted(option.value)}")
        yield f"        {pattern}) {act}; return ;;"


def _described(pairs: Iterable[tuple[str, str]]) -> str:
    """`name:sentence`, quoted; a colon in a name would end it."""
    return " ".join(_quoted(name.replace(":", "\\:") + (f":{said}" if said else "")) for name, said in pairs)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


# --- fish -------------------------------------------------------------------------------------------


def _fish(commands: Sequence[Word]) -> str:
    lines = ["# waiaas completion for fish: waiaas completion fish | source", "complete -c waiaas -f"]
    lines += [_fish_option("", option) for option in global_options()]
    for command in commands:
        lines.append(
            f"complete -c waiaas -n __fish_use_subcommand -a {command.name} -d {_single(command.help)}"
        )
        seen = f"__fish_seen_subcommand_from {command.name}"
        verbs = " ".join(action.name for action in command.actions)
        alone = f"{seen}; and not __fish_seen_subcommand_from {verbs}" if verbs else seen
        for action in command.actions:
            lines.append(f"complete -c waiaas -n '{alone}' -a {action.name} -d {_single(action.help)}")
            lines += _fish_word(f"{seen}; and __fish_seen_subcommand_from {action.name}", action)
        lines += _fish_word(seen, command)
    return "\n".join(lines)


def _fish_word(condition: str, word: Word) -> Iterator[str]:
    yield from (_fish_option(condition, option) for option in word.options)
    if choices := _positional(word):
        yield f"complete -c waiaas -n '{condition}' -a '{' '.join(choices)}'"
    if _kind(word):
        yield f"complete -c waiaas -n '{condition}' -F"


def _fish_option(condition: str, option: Option) -> str:
    when = f" -n '{condition}'" if condition else ""
    names = "".join(f" -l {n[2:]}" if n.startswith("--") else f" -s {n[1:]}" for n in option.names)
    value = ""
    if option.choices:
        value = f" -x -a '{' '.join(option.choices)}'"
    elif option.value:
        value = {FILE: " -r -F", FOLDER: " -x -a '(__fish_complete_directories)'"}.get(option.kind, " -x")
    return f"complete -c waiaas{when}{names}{value} -d {_single(option.help)}"


def _single(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
