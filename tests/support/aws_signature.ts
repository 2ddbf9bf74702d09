/** Signatures of requests to S3 (AWS Signature Version 4), made past our own code and the SDK. */
import { createHash, createHmac } from "node:crypto";

/** What is signed. Header names are in lower case, path and query as they are sent. */
export interface SignedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  /** Names of the headers that count, in order. */
  readonly signedHeaders: readonly string[];
  /** DATE/REGION/s3/aws4_request */
  readonly scope: string;
}

/** The parts of an `authorization` header; null when it is none of this kind. */
export function parseAuthorization(header: string | null) {
  const found =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
      header ?? "",
    );
  if (found === null) return null;
  const [, accessKeyId = "", scope = "", names = "", signature = ""] = found;
  return { accessKeyId, scope, signedHeaders: names.split(";"), signature };
}

/** The signature of `request` with `secretAccessKey`. */
export function signatureOf(request: SignedRequest, secretAccessKey: string): string {
  const { method, path, query, headers, signedHeaders, scope } = request;
  const header = (name: string) => (headers.get(name) ?? "").trim().replace(/ +/g, " ");
  const canonical = [
    method,
    path,
    query.split("&").map((pair) => pair.includes("=") || pair === "" ? pair : `${pair}=`).sort()
      .join("&"),
    ...signedHeaders.map((name) => `${name}:${header(name)}`),
    "",
    signedHeaders.join(";"),
    header("x-amz-content-sha256"),
  ].join("\n");
  const hash = createHash("sha256").update(canonical).digest("hex");
  const text = ["AWS4-HMAC-SHA256", header("x-amz-date"), scope, hash].join("\n");
  const key = scope.split("/").reduce<string | Uint8Array>(
    (secret, part) => createHmac("sha256", secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return createHmac("sha256", key).update(text).digest("hex");
}
