/** A certificate authority that lives as long as a test, and a certificate of it for loopback. */
import type { Certificate } from "./azurite.ts";

/** Where the files are; disposing deletes them. */
export interface TestAuthority extends AsyncDisposable, Certificate {
  /** What clients have to trust. */
  readonly authorityFile: string;
  /** Variables of a process that trusts it; which of them counts depends on the Deno. */
  readonly trust: Readonly<Record<string, string>>;
  /** For further files of the test. */
  readonly directory: string;
}

const AUTHORITY = "basicConstraints=critical,CA:TRUE";
const EXTENSIONS = [
  "subjectAltName=DNS:localhost,IP:127.0.0.1",
  "extendedKeyUsage=serverAuth",
  "basicConstraints=CA:FALSE",
].join("\n");
const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** Makes both, by openssl. */
export async function createTestAuthority(): Promise<TestAuthority> {
  const directory = await Deno.makeTempDir({ prefix: "warpdrive-authority-" });
  const file = (name: string) => `${directory}/${name}`;
  const remove = () => Deno.remove(directory, { recursive: true });
  try {
    await Deno.writeTextFile(file("extensions"), EXTENSIONS);
    await openssl([
      ...["req", "-x509", ...NEW_KEY, "-days", "2", "-subj", "/CN=warpdrive-test-authority"],
      ...["-addext", AUTHORITY, "-addext", "keyUsage=critical,keyCertSign,cRLSign"],
      ...["-keyout", file("ca.key"), "-out", file("ca.pem")],
    ]);
    await openssl([
      ...["req", ...NEW_KEY, "-subj", "/CN=localhost"],
      ...["-keyout", file("server.key"), "-out", file("server.csr")],
    ]);
    await openssl([
      ...["x509", "-req", "-in", file("server.csr"), "-CA", file("ca.pem")],
      ...["-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2"],
      ...["-extfile", file("extensions"), "-out", file("server.pem")],
    ]);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    directory,
    authorityFile: file("ca.pem"),
    trust: {
      NODE_EXTRA_CA_CERTS: file("ca.pem"),
      DENO_TLS_CA_STORE: "system",
      SSL_CERT_FILE: file("ca.pem"),
    },
    certificateFile: file("server.pem"),
    keyFile: file("server.key"),
    [Symbol.asyncDispose]: remove,
  };
}

/** An application's certificate of its own making, with its key in one file. */
export async function makeApplicationCertificate(
  { directory }: TestAuthority,
): Promise<{ readonly file: string; readonly publicKeyFile: string }> {
  const file = `${directory}/application.pem`;
  const key = `${directory}/application.key`;
  const publicKeyFile = `${directory}/application.public.pem`;
  await openssl([
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=application"],
    ...["-keyout", key, "-out", file],
  ]);
  await openssl(["pkey", "-in", key, "-pubout", "-out", publicKeyFile]);
  await Deno.writeTextFile(file, await Deno.readTextFile(key), { append: true });
  return { file, publicKeyFile };
}

async function openssl(args: readonly string[]): Promise<void> {
  const command = new Deno.Command("openssl", { args: [...args], stdout: "null", stderr: "piped" });
  const { success, stderr } = await command.output();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
}
