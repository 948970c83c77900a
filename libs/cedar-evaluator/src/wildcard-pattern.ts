export type PatternElementJson = 'Wildcard' | { Literal: string };

/**
 * A `like` pattern as a test of a text. Takes the leftmost place for each piece between wildcards and never goes back,
 * so no text takes more than one pass: there is no backtracking to attack.
 */
export function compilePattern(pattern: readonly PatternElementJson[]): (text: string) => boolean {
  const pieces = splitAtWildcards(pattern);
  const [first = ''] = pieces;
  if (pieces.length === 1) return (text) => text === first;
  const last = pieces.at(-1)!;
  const middle = pieces.slice(1, -1).filter((piece) => piece !== '');
  const minLength = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return (text) => {
    if (text.length < minLength || !text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const piece of middle) {
      const found = text.indexOf(piece, at);
      if (found === -1 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}

function splitAtWildcards(pattern: readonly PatternElementJson[]): string[] {
  const pieces = [''];
  for (const element of pattern) {
    if (element === 'Wildcard') pieces.push('');
    else pieces.push(pieces.pop()! + element.Literal);
  }
  return pieces;
}
