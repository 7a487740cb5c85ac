/** Shells that a script can be made for. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** A command, as far as a shell completes it. */
export interface CompletedCommand {
  name: string;
  description: string;
  flags: readonly { flag: string; description: string }[];
}

/** The script of a shell; where no command or flag is meant, files are completed. */
export function completionScript(shell: Shell, commands: readonly CompletedCommand[]): string {
  switch (shell) {
    case 'bash':
      return bashScript(commands);
    case 'zsh':
      return zshScript(commands);
    case 'fish':
      return fishScript(commands);
  }
}

function bashScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(
    ({ name, flags }) => `      ${name}) words="${flags.map(({ flag }) => flag).join(' ')}" ;;`,
  );
  return `# source <(quarry completion bash)
_quarry() {
  local current=\${COMP_WORDS[COMP_CWORD]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="${commands.map(({ name }) => name).join(' ')}"
  elif [[ $current == -* ]]; then
    case \${COMP_WORDS[1]} in
${cases.join('\n')}
    esac
  fi
  [ -n "$words" ] && COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _quarry quarry
`;
}

function zshScript(commands: readonly CompletedCommand[]): string {
  const cases = commands.map(({ name, flags }) => {
    const described = flags.map(({ flag, description }) => `      ${quote(zshItem(flag, description))}`);
    return `    ${name}) flags=(\n${described.join('\n')}\n    ) ;;`;
  });
  return `#compdef quarry
# source <(quarry completion zsh)
_quarry() {
  local -a commands flags
  if (( CURRENT == 2 )); then
    commands=(
${commands.map(({ name, description }) => `      ${quote(zshItem(name, description))}`).join('\n')}
    )
    _describe command commands
    return
  fi
  if [[ $words[CURRENT] != -* ]]; then
    _files
    return
  fi
  case $words[2] in
${cases.join('\n')}
  esac
  _describe flag flags
}
compdef _quarry quarry
`;
}

function fishScript(commands: readonly CompletedCommand[]): string {
  const lines = commands.flatMap(({ name, description, flags }) => [
    `complete -c quarry -f -n __fish_use_subcommand -a ${name} -d ${quote(firstSentence(description))}`,
    ...flags.map(
      ({ flag, description: what }) =>
        `complete -c quarry -n '__fish_seen_subcommand_from ${name}' -l ${flag.slice(2)} -d ${quote(firstSentence(what))}`,
    ),
  ]);
  return `# quarry completion fish | source\n${lines.join('\n')}\n`;
}

/** A word and what it is, with a colon in between, as `_describe` takes it. */
function zshItem(word: string, description: string): string {
  return `${word}:${firstSentence(description).replaceAll(':', '\\:')}`;
}

function firstSentence(text: string): string {
  return text
    .replace(/\.\s.*$/s, '')
    .replace(/\.$/, '')
    .replaceAll('\n', ' ');
}

/** In single quotes, for any of the shells. */
function quote(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}
