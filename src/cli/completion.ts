// The script that each shell loads: it hands over the words that are typed, and `reeve __complete` says what may follow.

export const shells = ['bash', 'zsh', 'fish', 'powershell'] as const;
export type Shell = (typeof shells)[number];

/**
 * Words go over with a colon before them, so that an empty one is not lost (PowerShell before 7.3 drops it) and none is
 * taken for an option, or for the `--` that PowerShell keeps from scripts such as npm's reeve.ps1. What comes back is a
 * word and a note a line, with a tab between, and at the end what a shell does by itself: `:files`, `:command` (what
 * stands after `--` is a command line of its own) or `:nothing`.
 */
export const completionScripts: Readonly<Record<Shell, string>> = {
  // Words are taken from the line itself: bash splits at colons, which addresses have, and puts back what stands before.
  bash: `# reeve completion for bash
_reeve() {
  local line="\${COMP_LINE:0:COMP_POINT}" current text note rest
  local -a before words
  current="\${line##*[[:space:]]}"
  read -ra before <<< "\${line%"$current"}"
  words=("\${before[@]:1}" "$current")
  COMPREPLY=()
  while IFS=$'\\t' read -r text note; do
    case "$text" in
      :*) rest="$text" ;;
      "$current"*) COMPREPLY+=("$text") ;;
    esac
  done < <("\${before[0]}" __complete "\${words[@]/#/:}" 2>/dev/null)
  if [[ $rest == :command && \${before[\${#before[@]}-1]} == -- ]]; then
    COMPREPLY=($(compgen -c -- "$current"))
  elif [[ $rest == :nothing ]]; then
    compopt +o default 2>/dev/null
  fi
  if [[ $current == *[:=]* ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${current%"\${current##*[:=]}"}"}"); fi
}
complete -o default -F _reeve reeve`,

  // Found by its name in a folder of $fpath, the file is the function's first call; read by eval, it only declares.
  zsh: `#compdef reeve
_reeve() {
  local line rest=:files
  local -a found
  for line in "\${(@f)$("\${(Q)words[1]}" __complete ":\${(@)^\${(@Q)words[2,CURRENT-1]}}" ":\${(Q)PREFIX}" 2>/dev/null)}"; do
    case "$line" in
      :*) rest="$line" ;;
      *$'\\t'*) found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}") ;;
    esac
  done
  if (( $#found )); then
    _describe -V reeve found
  elif [[ $rest == :files ]]; then
    compset -P '-*='
    _files
  elif [[ $rest == :command ]]; then
    local -i end=\${words[(i)--]}
    shift end words
    (( CURRENT -= end ))
    _normal
  fi
}
if [[ $funcstack[1] == _reeve ]]; then _reeve "$@"; else compdef _reeve reeve; fi`,

  fish: `# reeve completion for fish
function __reeve_complete
  set -l before (commandline -opc)
  set -l current (commandline -ct)
  for line in ($before[1] __complete :$before[2..-1] ":$current" 2>/dev/null)
    switch $line
      case :files
        set -l option (string match -r -- '^-[^=]*=' $current)
        for file in (__fish_complete_path (string replace -r -- '^-[^=]*=' '' $current))
          echo "$option$file"
        end
      case :command
        set -l end (contains -i -- -- $before)
        complete -C (string join -- ' ' (string escape -- $before[(math $end + 1)..-1]) $current)
      case ':*'
      case '*'
        echo $line
    end
  end
end
complete -c reeve -f -a '(__reeve_complete)'`,

  // A word with a bracket ([::1]:80) would be a pattern for -like.
  powershell: `# reeve completion for PowerShell
Register-ArgumentCompleter -Native -CommandName reeve -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $current = "$wordToComplete"
  $before = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    Select-Object -Skip 1 | ForEach-Object { ':' + $_.Extent.Text.Trim('''"') })
  & reeve __complete @before ":$current" 2>$null | ForEach-Object {
    $text, $note = $_ -split "\`t", 2
    if (-not $text.StartsWith(':') -and $text.StartsWith($current, [StringComparison]::OrdinalIgnoreCase)) {
      $tip = if ($note) { $note } else { $text }
      [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $tip)
    }
  }
}`,
};
