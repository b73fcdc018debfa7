import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** The one address before several nodes, as a proxy has it: each connection goes to a node that lives. */
export class Door {
  private readonly sockets = new Set<Socket>();
  private isShut = false;

  private constructor(
    private readonly server: Server,
    private readonly ports: () => readonly number[],
    private readonly isWebSocketFree: boolean,
  ) {
    server.on('connection', (down) => this.accept(down));
  }

  /** `isWebSocketFree`: who asks for a WebSocket is cut off, as some firms' proxies do. */
  static async before(ports: () => readonly number[], { isWebSocketFree = false } = {}): Promise<Door> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new Door(server, ports, isWebSocketFree);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  /** Nobody comes through any more, and who was through is cut off. */
  shuts(): void {
    this.isShut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  opens(): void {
    this.isShut = false;
  }

  async closes(): Promise<void> {
    this.server.close();
    this.shuts();
    await once(this.server, 'close');
  }

  private accept(down: Socket): void {
    const [port] = this.ports();
    if (this.isShut || port === undefined) {
      down.destroy();
      return;
    }
    const up = connect(port, '127.0.0.1');
    const end = (): void => {
      down.destroy();
      up.destroy();
    };
    for (const socket of [down, up]) {
      this.sockets.add(socket);
      // `close` follows every error, and ends both.
      socket.on('error', end);
      socket.on('close', () => {
        end();
        this.sockets.delete(socket);
      });
    }
    down.on('data', (bytes) => {
      if (this.isWebSocketFree && /\r\nupgrade: websocket/i.test(bytes.toString('latin1'))) end();
    });
    down.pipe(up).pipe(down);
  }
}
