// Completion scripts for four shells: commands, their options, and what exists now (asked of reeve itself). Pure.

export interface CommandWords {
  name: string;
  description: string;
  options: OptionWords[];
  /** Fixed words of the first operand, such as subcommands. */
  words: string[];
  /** What is asked of `reeve __values` for an operand. */
  values: string | null;
}

export interface OptionWords {
  name: string;
  description: string;
}

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

export function isShell(text: string): text is Shell {
  return shells.includes(text as Shell);
}

export function completionScript(shell: Shell, commands: CommandWords[], common: OptionWords[]): string {
  return { bash, zsh, fish, powershell }[shell](commands, common);
}

const names = (options: OptionWords[]) => options.map(({ name }) => name).join(' ');
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const namesOf = (commands: CommandWords[]) => commands.map(({ name }) => name).join(' ');

/**
 * The word is taken from the line itself: bash splits at colons, which addresses have, and what it puts back for each
 * reply must then leave out what stands before the last colon.
 */
function bash(commands: CommandWords[], common: OptionWords[]): string {
  const cases = commands.map(
    ({ name, options, words, values }) =>
      `    ${name}) options="${names([...options, ...common])}" words="${words.join(' ')}" values="${values ?? ''}" ;;`,
  );
  return `# reeve completion for bash
_reeve() {
  local line="\${COMP_LINE:0:COMP_POINT}" current command="" word options="${names(common)}" words="" values=""
  current="\${line##*[[:space:]]}"
  line="\${line%"$current"}"
  for word in \${line#*[[:space:]]}; do
    if [[ $word != -* ]]; then command="$word"; break; fi
  done
  case "$command" in
${cases.join('\n')}
    "") words="${namesOf(commands)} help" ;;
    help) words="${namesOf(commands)}" ;;
  esac
  if [[ $current == -* ]]; then words="$options"
  elif [[ -n $values ]]; then words+=" $("\${COMP_WORDS[0]}" __values "$values" 2>/dev/null | cut -f1)"
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ $current == *:* ]]; then
    local before="\${current%"\${current##*:}"}"
    COMPREPLY=("\${COMPREPLY[@]#"$before"}")
  fi
}
complete -o default -F _reeve reeve`;
}

function zsh(commands: CommandWords[], common: OptionWords[]): string {
  const text = (description: string) => description.replace(/[[\]:]/g, ' ');
  const describe = (options: OptionWords[]) =>
    options.map(({ name, description }) => quoted(`${name}[${text(description)}]`)).join(' ');
  const list = commands.map(({ name, description }) => `    ${quoted(`${name}:${text(description)}`)}`);
  const operand = ({ words, values }: CommandWords) =>
    values
      ? `'*:${values}:_reeve_values ${values}'`
      : words.length > 0
        ? `'1:word:(${words.join(' ')})'`
        : "'*:file:_files'";
  const cases = commands.map(
    (each) => `    ${each.name}) _arguments ${describe([...each.options, ...common])} ${operand(each)} ;;`,
  );
  return `#compdef reeve
_reeve_values() {
  local -a found=(\${(f)"$(reeve __values $1 2>/dev/null | sed -e 's/:/\\\\:/g' -e $'s/\\t/:/')"})
  _describe $1 found
}
_reeve() {
  local -a commands=(
${list.join('\n')}
  )
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  local command="$words[2]"
  words=("\${(@)words[2,-1]}")
  (( CURRENT-- ))
  case "$command" in
${cases.join('\n')}
  esac
}
compdef _reeve reeve`;
}

function fish(commands: CommandWords[], common: OptionWords[]): string {
  const option = (condition: string) => (each: OptionWords) =>
    `complete -c reeve ${condition}-l ${each.name.slice(2)} -d ${quoted(each.description)}`;
  const seen = (name: string) => `-n '__fish_seen_subcommand_from ${name}' `;
  return [
    '# reeve completion for fish',
    ...commands.map(
      ({ name, description }) =>
        `complete -c reeve -n __fish_use_subcommand -f -a ${name} -d ${quoted(description)}`,
    ),
    ...commands.flatMap(({ name, options }) => options.map(option(seen(name)))),
    // fish reads a word and its description with a tab between them.
    ...commands.flatMap(({ name, values }) =>
      values ? [`complete -c reeve ${seen(name)}-f -a '(reeve __values ${values} 2>/dev/null)'`] : [],
    ),
    ...commands.flatMap(({ name, words }) =>
      words.length > 0 ? [`complete -c reeve ${seen(name)}-f -a ${quoted(words.join(' '))}`] : [],
    ),
    ...common.map(option('')),
  ].join('\n');
}

function powershell(commands: CommandWords[], common: OptionWords[]): string {
  const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;
  const list = (words: string[]) => words.map(literal).join(', ');
  const table = (rows: [string, string][]) =>
    rows.map(([name, value]) => `    ${literal(name)} = ${value}`).join('\n');
  const all = commands.map(({ name, options, words }): [string, string] => [
    name,
    `@(${list([...words, ...[...options, ...common].map((each) => each.name)])})`,
  ]);
  const values = commands.flatMap(({ name, values }): [string, string][] =>
    values ? [[name, literal(values)]] : [],
  );
  return `# reeve completion for PowerShell
Register-ArgumentCompleter -Native -CommandName reeve -ScriptBlock {
  param($word, $ast, $position)
  $options = @{
${table(all)}
  }
  $values = @{
${table(values)}
  }
  $typed = @($ast.CommandElements | ForEach-Object { $_.ToString() })
  $before = if ($word) { $typed.Count - 1 } else { $typed.Count }
  $command = if ($before -gt 1) { $typed[1] } else { '' }
  $words = if ($options.ContainsKey($command)) { $options[$command] } else { @(${list(commands.map(({ name }) => name))}) }
  if ($values.ContainsKey($command) -and -not "$word".StartsWith('-')) {
    $words = @(reeve __values $values[$command] 2>$null | ForEach-Object { $_.Split("\`t")[0] }) + $words
  }
  $words | Where-Object { $_ -like "$word*" } | ForEach-Object {
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }
}`;
}
