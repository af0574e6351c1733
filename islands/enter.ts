/** Enter sends, but not while an input method composes, and not on a touch keyboard, which has no Shift+Enter. */
export function sends(event: KeyboardEvent): boolean {
  if (event.key !== "Enter" || event.isComposing) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return !event.shiftKey && !matchMedia("(pointer: coarse)").matches;
}
