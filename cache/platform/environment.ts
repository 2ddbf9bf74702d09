/** Environment variables as a parameter: read by `main.ts`, handed to everything else. */
export interface Environment {
  /** The value of variable `name`, or undefined when it is not set. */
  get(name: string): string | undefined;
  /** Takes `name` out, so that programs that are started do not see it; not where it is fixed. */
  delete?(name: string): void;
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

  /** Takes them out of `env`, but for those that a library may look for. */
  forgetIn(env: Environment): void {
    for (const name of this.#names) {
      if (!LIBRARIES.test(name)) env.delete?.(name);
    }
  }
}
