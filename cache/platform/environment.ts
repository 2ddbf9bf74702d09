/** Environment variables as a parameter: read by `main.ts`, handed to everything else. */
export interface Environment {
  /** The value of variable `name`, or undefined when it is not set. */
  get(name: string): string | undefined;
}
