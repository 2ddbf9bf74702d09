/** Every suite for stores on S3, with a real server. */
import { testStore } from "./backend_conformance.ts";
import { S3_STORE } from "./stores/s3.ts";

testStore(S3_STORE);
