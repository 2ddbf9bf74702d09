/**
 * The model of `softmax.ts` through WebGPU, in 32-bit floats: same weights at the start, same
 * descent sample by sample, so that losses differ from the CPU's by rounding only.
 */
import { CommandError } from "../../cache/platform/exit.ts";
import { type Batch, CLASSES } from "./batches.ts";
import { FEATURES } from "./features.ts";
import type { Model } from "./model.ts";
import { initialWeights, LEARNING_RATE, PROBABILITY_MIN } from "./softmax.ts";
import { STEP_SHADER } from "./webgpu_shader.ts";

const FLOAT_BYTES = 4;
/** Size of `Step` in the shader, rounded up as uniforms are. */
const STEP_BYTES = 16;

/** Buffers of the shader, by their binding. */
interface Buffers {
  readonly step: GPUBuffer;
  readonly images: GPUBuffer;
  readonly labels: GPUBuffer;
  readonly weights: GPUBuffer;
  readonly biases: GPUBuffer;
  readonly loss: GPUBuffer;
}

/** The model on a GPU, or on what a software driver makes of the CPU. Dispose it to free both. */
export class WebgpuSoftmax implements Model {
  /** What does the work, in the words of its driver. */
  readonly adapter: string;
  readonly #device: GPUDevice;
  readonly #pipeline: GPUComputePipeline;
  readonly #bindings: GPUBindGroup;
  readonly #buffers: Buffers;
  /** The loss where the CPU may read it. */
  readonly #answer: GPUBuffer;

  /**
   * Prepares the model for batches of up to `batchSize`.
   *
   * @throws {CommandError} when the machine has nothing that WebGPU runs on.
   */
  static async open(gpu: GPU, seed: number, batchSize: number): Promise<WebgpuSoftmax> {
    const adapter = await gpu.requestAdapter({ powerPreference: "high-performance" });
    if (adapter === null) throw noAdapter();
    const device = await adapter.requestDevice();
    const buffers = createBuffers(device, batchSize);
    device.queue.writeBuffer(buffers.weights, 0, Float32Array.from(initialWeights(seed)));
    const pipeline = await createPipeline(device);
    const name = adapter.info.description || adapter.info.device;
    return new WebgpuSoftmax(name, device, pipeline, buffers);
  }

  private constructor(
    adapter: string,
    device: GPUDevice,
    pipeline: GPUComputePipeline,
    buffers: Buffers,
  ) {
    const { step, images, labels, weights, biases, loss } = buffers;
    this.adapter = adapter;
    this.#device = device;
    this.#pipeline = pipeline;
    this.#buffers = buffers;
    this.#bindings = device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [step, images, labels, weights, biases, loss].map((buffer, binding) => (
        { binding, resource: { buffer } }
      )),
    });
    this.#answer = device.createBuffer({
      size: FLOAT_BYTES,
      usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
    });
  }

  async step({ size, features, labels }: Batch): Promise<number> {
    const { queue } = this.#device;
    const { step, images, labels: classes, loss } = this.#buffers;
    queue.writeBuffer(step, 0, stepOf(size));
    queue.writeBuffer(images, 0, features);
    queue.writeBuffer(classes, 0, Uint32Array.from(labels));
    const commands = this.#device.createCommandEncoder();
    const pass = commands.beginComputePass();
    pass.setPipeline(this.#pipeline);
    pass.setBindGroup(0, this.#bindings);
    pass.dispatchWorkgroups(1);
    pass.end();
    commands.copyBufferToBuffer(loss, 0, this.#answer, 0, FLOAT_BYTES);
    queue.submit([commands.finish()]);
    return await this.#loss();
  }

  [Symbol.dispose](): void {
    this.#device.destroy();
  }

  /** Waits for the step that was submitted: its time is the model's, and not the next batch's. */
  async #loss(): Promise<number> {
    try {
      await this.#answer.mapAsync(GPUMapMode.READ);
    } catch (cause) {
      const hint = "Look at the system's log for its driver, or train with --model softmax";
      throw new CommandError("failed", `Cannot train on "${this.adapter}": it failed`, hint, {
        cause,
      });
    }
    const [loss = NaN] = new Float32Array(this.#answer.getMappedRange().slice(0));
    this.#answer.unmap();
    return loss;
  }
}

/** Not by `createComputePipelineAsync`, which takes no descriptor in Deno 2.6. */
async function createPipeline(device: GPUDevice): Promise<GPUComputePipeline> {
  device.pushErrorScope("validation");
  const pipeline = device.createComputePipeline({
    layout: "auto",
    compute: { module: device.createShaderModule({ code: STEP_SHADER }), entryPoint: "learn" },
  });
  const error = await device.popErrorScope();
  if (error === null) return pipeline;
  throw new CommandError(
    "failed",
    `Cannot train with --model "webgpu": the driver refuses its shader: ${error.message}`,
    "Train with --model softmax",
  );
}

function createBuffers(device: GPUDevice, batchSize: number): Buffers {
  const { STORAGE, UNIFORM, COPY_DST, COPY_SRC } = GPUBufferUsage;
  const create = (size: number, usage: number) => device.createBuffer({ size, usage });
  return {
    step: create(STEP_BYTES, UNIFORM | COPY_DST),
    images: create(batchSize * FEATURES, STORAGE | COPY_DST),
    labels: create(batchSize * FLOAT_BYTES, STORAGE | COPY_DST),
    weights: create(CLASSES * FEATURES * FLOAT_BYTES, STORAGE | COPY_DST),
    biases: create(CLASSES * FLOAT_BYTES, STORAGE),
    loss: create(FLOAT_BYTES, STORAGE | COPY_SRC),
  };
}

/** `Step` of the shader. */
function stepOf(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new ArrayBuffer(STEP_BYTES);
  new Uint32Array(bytes)[0] = size;
  new Float32Array(bytes).set([LEARNING_RATE, PROBABILITY_MIN], 1);
  // A view: Deno 2.6 takes no bare buffer.
  return new Uint8Array(bytes);
}

function noAdapter(): CommandError {
  return new CommandError(
    "failed",
    'Cannot train with --model "webgpu": this machine has no WebGPU adapter',
    "Install a Vulkan driver (mesa-vulkan-drivers computes on the CPU), or train with " +
      "--model softmax",
  );
}
