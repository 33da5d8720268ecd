// Partial acceptance, inferred from an edit: the stable API reports none, but an accepted word arrives in one piece.

/** A suggestion on screen, as an insertion; offsets in UTF-16 units of the document. */
export interface Shown {
  readonly uri: string;
  readonly offset: number;
  readonly text: string;
}

export interface Edit {
  readonly uri: string;
  readonly offset: number;
  readonly removed: number;
  readonly inserted: string;
}

/**
 * How many UTF-16 units of `shown` the edit took; 0 if it took none, only one character (which may have been typed),
 * or all of it (which the suggestion's command reports).
 */
export function acceptedPart(shown: Shown | undefined, edit: Edit): number {
  if (!shown || edit.uri !== shown.uri || edit.offset !== shown.offset || edit.removed !== 0) return 0;
  const length = edit.inserted.length;
  const partly = length > 1 && length < shown.text.length && shown.text.startsWith(edit.inserted);
  // What the Enter key inserts looks like the start of a suggestion that begins with a line break.
  return partly && edit.inserted.trim() !== "" ? length : 0;
}
