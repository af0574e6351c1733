/** The field that shows that a form came from a page of ours. */
export function CsrfField({ token }: { token: string }) {
  return <input type="hidden" name="csrfmiddlewaretoken" value={token} />;
}
