/** Environment variables as a parameter: read by `main.ts`, handed to everything else. */
export interface Environment {
  /** The value of variable `name`, or undefined when it is not set. */
  get(name: string): string | undefined;
}

/** Variables that the libraries of the providers look for by themselves, at any time. */
const LIBRARIES = /^(AWS|AZURE|GOOGLE|GCP|GCE|CLOUDSDK)_/;

/** The variables that secrets were read from: programs that are started need none of them. */
export class SecretVariables {
  readonly #names = new Set<string>();

  /** Takes note that there is a secret in variable `name`. */
  readonly note = (name: string): void => {
    this.#names.add(name);
  };

  /** Those that nobody reads again, so that they can be taken out of the environment. */
  get forgettable(): readonly string[] {
    return [...this.#names].filter((name) => !LIBRARIES.test(name));
  }
}
