import type { Values } from "./formValues";

/** What every group of fields is given. */
export interface FieldProps {
  readonly values: Values;
  readonly change: (part: Partial<Values>) => void;
  readonly disabled: boolean;
  /** Returns what the API said is wrong with a field, by its name there. */
  readonly errorOf: (field: string) => string | null;
}
