// Completion scripts for four shells: commands, then each command's options. Pure.

export interface CommandWords {
  name: string;
  description: string;
  options: { name: string; description: string }[];
}

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

export function isShell(text: string): text is Shell {
  return shells.includes(text as Shell);
}

export function completionScript(
  shell: Shell,
  commands: CommandWords[],
  common: CommandWords['options'],
): string {
  return { bash, zsh, fish, powershell }[shell](commands, common);
}

const names = (options: CommandWords['options']) => options.map(({ name }) => name).join(' ');
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;

function bash(commands: CommandWords[], common: CommandWords['options']): string {
  const cases = commands.map(
    ({ name, options }) => `    ${name}) words="${names([...options, ...common])}" ;;`,
  );
  return `# reeve completion for bash
_reeve() {
  local current="\${COMP_WORDS[COMP_CWORD]}" words
  case "\${COMP_WORDS[1]}" in
${cases.join('\n')}
    *) words="${commands.map(({ name }) => name).join(' ')} ${names(common)}" ;;
  esac
  if [[ $COMP_CWORD -eq 1 ]]; then words="${commands.map(({ name }) => name).join(' ')} ${names(common)}"; fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _reeve reeve`;
}

function zsh(commands: CommandWords[], common: CommandWords['options']): string {
  const describe = (options: CommandWords['options']) =>
    options
      .map(({ name, description }) => quoted(`${name}[${description.replace(/[[\]:]/g, ' ')}]`))
      .join(' ');
  const list = commands.map(
    ({ name, description }) => `    ${quoted(`${name}:${description.replaceAll(':', ' ')}`)}`,
  );
  const cases = commands.map(
    ({ name, options }) => `    ${name}) _arguments ${describe([...options, ...common])} '*:: :_files' ;;`,
  );
  return `#compdef reeve
_reeve() {
  local -a commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case "$words[2]" in
${cases.join('\n')}
  esac
}
compdef _reeve reeve`;
}

function fish(commands: CommandWords[], common: CommandWords['options']): string {
  const option = (condition: string) => (each: CommandWords['options'][number]) =>
    `complete -c reeve ${condition}-l ${each.name.slice(2)} -d ${quoted(each.description)}`;
  return [
    '# reeve completion for fish',
    ...commands.map(
      ({ name, description }) =>
        `complete -c reeve -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
    ),
    ...commands.flatMap(({ name, options }) =>
      options.map(option(`-n '__fish_seen_subcommand_from ${name}' `)),
    ),
    ...common.map(option('')),
  ].join('\n');
}

function powershell(commands: CommandWords[], common: CommandWords['options']): string {
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const list = (words: string[]) => words.map(literal).join(', ');
  const table = commands.map(
    ({ name, options }) =>
      `    ${literal(name)} = @(${list([...options, ...common].map((each) => each.name))})`,
  );
  return `# reeve completion for PowerShell
Register-ArgumentCompleter -Native -CommandName reeve -ScriptBlock {
  param($word, $ast, $position)
  $options = @{
${table.join('\n')}
  }
  $typed = @($ast.CommandElements | ForEach-Object { $_.ToString() })
  $command = if ($typed.Count -gt 1) { $typed[1] } else { '' }
  $words = if ($options.ContainsKey($command)) { $options[$command] } else { @(${list(commands.map(({ name }) => name))}) }
  $words | Where-Object { $_ -like "$word*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`;
}
