export type Suggestion = { text: string; note?: string };

const MOST = 12;
const WORD = /[A-Za-z_]\w*$/;

/** Return the word that is being typed: all of a text, or of an expression the name before the caret. */
export function wordAt(value: string, caret: number, isExpression: boolean): string {
  return isExpression ? (WORD.exec(value.slice(0, caret))?.[0] ?? "") : value;
}

/** Return the suggestions that contain a word, those that begin with it first. */
export function suggestionsFor(word: string, all: readonly Suggestion[]): Suggestion[] {
  const sought = word.toLowerCase();
  const place = (suggestion: Suggestion) => suggestion.text.toLowerCase().indexOf(sought);
  return all
    .filter((suggestion) => place(suggestion) >= 0 && suggestion.text !== word)
    .sort((a, b) => Math.min(place(a), 1) - Math.min(place(b), 1))
    .slice(0, MOST);
}

/** Return a text in which the word before the caret is completed, and where the caret is then. */
export function completed(value: string, caret: number, isExpression: boolean, text: string): { value: string; caret: number } {
  const begin = caret - wordAt(value, caret, isExpression).length;
  return isExpression ? { value: value.slice(0, begin) + text + value.slice(caret), caret: begin + text.length } : { value: text, caret: text.length };
}
