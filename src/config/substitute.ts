// `${NAME}` and `${NAME:-default}` in a text of the configuration. It only ever yields text, never structure.
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: it is the file's own syntax

export interface Substitution {
  text: string;
  /** The text was one substitution and nothing else, so it may stand for a number as well. */
  whole: boolean;
  problems: string[];
}

// Escape, well-formed, or the start of something that is neither.
const pattern = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}|\$\{/g;

/**
 * As in a shell: `:-` stands in where the variable is unset or empty, and without it an unset variable is a
 * problem. `$${` is a plain `${`.
 */
export function substitute(text: string, env: NodeJS.ProcessEnv): Substitution {
  const problems: string[] = [];
  let whole = false;
  const result = text.replace(pattern, (found, name: string | undefined, fallback: string | undefined) => {
    if (found === '$${') return '${';
    if (name === undefined) {
      problems.push('a substitution is written ${NAME} or ${NAME:-default}; write $${ for a plain ${');
      return found;
    }
    whole ||= found.length === text.length;
    const value = Object.hasOwn(env, name) ? env[name] : undefined;
    if (fallback !== undefined) return value || fallback;
    if (value !== undefined) return value;
    problems.push(
      `the environment variable ${name} is not set: set it, or give a default with \${${name}:-…}`,
    );
    return found;
  });
  return { text: result, whole: whole && problems.length === 0, problems };
}
