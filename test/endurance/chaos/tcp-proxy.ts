import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { host } from "../../../scripts/start/local-servers.ts";

interface Pair {
  near: Socket;
  far: Socket | undefined;
}

/** Passes bytes on between edge and service, until it is cut or silenced. */
export class TcpProxy {
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  #farPort: number;
  #state: "open" | "cut" | "silent" = "open";

  private constructor(server: Server, farPort: number) {
    this.#server = server;
    this.#farPort = farPort;
    server.on("connection", (near) => this.#take(near));
  }

  /** Listens on a free port. */
  static async to(farPort: number): Promise<TcpProxy> {
    const server = createServer();
    await once(server.listen({ host, port: 0 }), "listening");
    return new TcpProxy(server, farPort);
  }

  get origin(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error(`expected a port, received ${address}`);
    return `http://${host}:${address.port}`;
  }

  /** Leads new connections to another port; existing ones stay, as with any connection balancer. */
  lead(farPort: number): void {
    this.#farPort = farPort;
  }

  /** Breaks every connection, and each new one at once. */
  cut(): void {
    this.#state = "cut";
    for (const { near, far } of this.#pairs) {
      near.resetAndDestroy();
      far?.resetAndDestroy();
    }
  }

  /** Accepts connections and passes nothing on, in either direction. */
  silence(): void {
    this.#state = "silent";
    for (const { near, far } of this.#pairs) {
      near.unpipe();
      far?.unpipe();
    }
  }

  /** Opens the proxy again; bytes that silence held back are sent. */
  mend(): void {
    this.#state = "open";
    for (const pair of this.#pairs) this.#join(pair);
  }

  async close(): Promise<void> {
    this.cut();
    await once(this.#server.close(), "close");
  }

  #take(near: Socket): void {
    near.on("error", () => undefined); // the break is intended
    if (this.#state === "cut") {
      near.resetAndDestroy();
      return;
    }
    const pair: Pair = { near, far: undefined };
    this.#pairs.add(pair);
    near.once("close", () => {
      this.#pairs.delete(pair);
      pair.far?.destroy();
    });
    if (this.#state === "open") this.#join(pair);
  }

  #join(pair: Pair): void {
    pair.far ??= this.#reach(pair.near);
    pair.near.pipe(pair.far);
    pair.far.pipe(pair.near);
  }

  #reach(near: Socket): Socket {
    const far = connect({ host, port: this.#farPort });
    far.on("error", () => undefined);
    far.once("close", () => near.destroy());
    return far;
  }
}
