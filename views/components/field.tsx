/** A field of a form with its name, what to know of it, and what is wrong with it. */
import type { JSX } from "preact";

export interface FieldProps {
  label: string;
  hint?: string;
  error?: string | null | undefined;
}

type InputProps = FieldProps & JSX.IntrinsicElements["input"] & { name: string };
type TextAreaProps = FieldProps & JSX.IntrinsicElements["textarea"] & { name: string };

export function Field({ label, hint, error, ...input }: InputProps) {
  return (
    <Labelled {...{ label, hint, error }} name={input.name}>
      <input {...input} {...describing(input.name, hint, error)} />
    </Labelled>
  );
}

export function TextField({ label, hint, error, ...area }: TextAreaProps) {
  return (
    <Labelled {...{ label, hint, error }} name={area.name}>
      <textarea {...area} {...describing(area.name, hint, error)} />
    </Labelled>
  );
}

function Labelled(props: {
  label: string;
  hint: string | undefined;
  error: string | null | undefined;
  name: string;
  children: JSX.Element;
}) {
  const { label, hint, error, name, children } = props;
  return (
    <div class="field">
      <label>
        {label}
        {children}
      </label>
      {hint && (
        <p class="hint" id={`${name}-hint`}>
          {hint}
        </p>
      )}
      {error && (
        <p class="problem" id={`${name}-problem`} role="alert">
          {error}
        </p>
      )}
    </div>
  );
}

function describing(name: string, hint: string | undefined, error: string | null | undefined) {
  const ids = [hint && `${name}-hint`, error && `${name}-problem`].filter(Boolean);
  return {
    ...(ids.length > 0 && { "aria-describedby": ids.join(" ") }),
    ...(error && { "aria-invalid": true }),
  };
}
