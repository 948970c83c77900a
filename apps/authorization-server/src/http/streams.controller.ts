import type { AuditLog } from '@behalf/audit';
import { OAuthError } from '@behalf/oauth';
import type { Clock } from '@behalf/ports';
import { AUDIT_LOG, CLOCK } from '@behalf/service-kit';
import {
  changeStream,
  createStream,
  deleteStream,
  describeStatus,
  describeStream,
  getStream,
  listStreams,
  nameSubject,
  pollRequestSchema,
  type PollAnswer,
  type Receiver,
  setStatus,
  statusRequestSchema,
  StreamRefusal,
  streamRefusalToOAuthError,
  streamRequestSchema,
  subjectRequestSchema,
  verificationRequestSchema,
  verifyStream,
} from '@behalf/shared-signals';
import {
  Controller,
  Delete,
  Get,
  Header,
  HttpCode,
  Inject,
  Param,
  Patch,
  Post,
  Put,
  Query,
  Req,
} from '@nestjs/common';
import type { Request } from 'express';
import type { SignalTransmitter } from '../shared-signals/signal-transmitter.js';
import { RECEIVER_AUTHORIZATION, SIGNAL_TRANSMITTER } from '../tokens.js';
import { readRequest } from './read-request.js';
import type { ReceiverAuthorization } from './receiver-authorization.js';

/**
 * The streams of outside receivers. Each sees its own only; what it changes is in the audit log before it is done.
 *
 * @see SSF 1.0 §8, RFC 8936
 */
@Controller()
export class StreamsController {
  constructor(
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(AUDIT_LOG) private readonly audit: AuditLog,
    @Inject(RECEIVER_AUTHORIZATION) private readonly receivers: ReceiverAuthorization,
    @Inject(SIGNAL_TRANSMITTER) private readonly transmitter: SignalTransmitter,
  ) {}

  @Post('streams')
  @HttpCode(201)
  @Header('Cache-Control', 'no-store')
  async create(@Req() request: Request): Promise<object> {
    const receiver = await this.receivers.check(request, 'manage');
    const wanted = await readRequest(request, streamRequestSchema);
    await this.#record(receiver, 'stream created');
    const stream = await refusing(createStream(receiver, wanted, this.transmitter.dependencies));
    return describeStream(stream, this.transmitter.dependencies);
  }

  @Get('streams')
  @Header('Cache-Control', 'no-store')
  async read(@Req() request: Request, @Query('stream_id') id: string | undefined): Promise<object> {
    const receiver = await this.receivers.check(request, 'read');
    const { dependencies } = this.transmitter;
    if (id !== undefined)
      return describeStream(await refusing(getStream(receiver, id, dependencies.records)), dependencies);
    const streams = await listStreams(dependencies.records, receiver.clientId);
    return streams.map((stream) => describeStream(stream, dependencies));
  }

  @Patch('streams')
  @Header('Cache-Control', 'no-store')
  update(@Req() request: Request): Promise<object> {
    return this.#change(request, 'update');
  }

  @Put('streams')
  @Header('Cache-Control', 'no-store')
  replace(@Req() request: Request): Promise<object> {
    return this.#change(request, 'replace');
  }

  @Delete('streams')
  @HttpCode(204)
  async remove(@Req() request: Request, @Query('stream_id') id: string | undefined): Promise<void> {
    const receiver = await this.receivers.check(request, 'manage');
    if (id === undefined) throw new OAuthError('invalid_request', 'stream_id is missing');
    await this.#record(receiver, 'stream deleted', id);
    await refusing(deleteStream(receiver, id, this.transmitter.dependencies));
  }

  @Get('status')
  @Header('Cache-Control', 'no-store')
  async status(@Req() request: Request, @Query('stream_id') id = ''): Promise<object> {
    const receiver = await this.receivers.check(request, 'read');
    return describeStatus(await refusing(getStream(receiver, id, this.transmitter.dependencies.records)));
  }

  @Post('status')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async setStatus(@Req() request: Request): Promise<object> {
    const receiver = await this.receivers.check(request, 'manage');
    const { stream_id: id, status, reason } = await readRequest(request, statusRequestSchema);
    await this.#record(receiver, `stream ${status}`, id);
    const stream = await refusing(setStatus(receiver, { id, status, reason }, this.transmitter.dependencies));
    this.transmitter.wake();
    return describeStatus(stream);
  }

  @Post('subjects/add')
  @HttpCode(200)
  addSubject(@Req() request: Request): Promise<object> {
    return this.#nameSubject(request, true);
  }

  @Post('subjects/remove')
  @HttpCode(204)
  removeSubject(@Req() request: Request): Promise<object> {
    return this.#nameSubject(request, false);
  }

  @Post('verify')
  @HttpCode(204)
  async verify(@Req() request: Request): Promise<void> {
    const receiver = await this.receivers.check(request, 'manage');
    const { stream_id: id, state } = await readRequest(request, verificationRequestSchema);
    await refusing(verifyStream(receiver, { id, state }, this.transmitter.dependencies));
    this.transmitter.wake();
  }

  @Post('poll/:id')
  @HttpCode(200)
  @Header('Cache-Control', 'no-store')
  async poll(@Req() request: Request, @Param('id') id: string): Promise<PollAnswer> {
    const receiver = await this.receivers.check(request, 'read');
    const wanted = await readRequest(request, pollRequestSchema);
    await refusing(getStream(receiver, id, this.transmitter.dependencies.records));
    const gone = new AbortController();
    request.res?.once('close', () => gone.abort());
    return this.transmitter.poll(id, wanted, gone.signal);
  }

  async #change(request: Request, how: 'update' | 'replace'): Promise<object> {
    const receiver = await this.receivers.check(request, 'manage');
    const wanted = await readRequest(request, streamRequestSchema);
    await this.#record(receiver, 'stream changed', wanted.stream_id);
    const { dependencies } = this.transmitter;
    return describeStream(await refusing(changeStream(receiver, wanted, how, dependencies)), dependencies);
  }

  async #nameSubject(request: Request, isWanted: boolean): Promise<object> {
    const receiver = await this.receivers.check(request, 'manage');
    const { stream_id: id, subject } = await readRequest(request, subjectRequestSchema);
    await refusing(nameSubject(receiver, { id, subject, isWanted }, this.transmitter.dependencies));
    return {};
  }

  /** Before it is done: what cannot be recorded does not happen. */
  #record({ clientId }: Receiver, step: string, stream?: string): Promise<void> {
    return this.audit.append({
      type: 'shared-signals',
      outcome: 'allowed',
      occurredAtMs: this.clock.nowMs(),
      client: clientId,
      details: { step, ...(stream !== undefined && { stream }) },
    });
  }
}

function refusing<T>(pending: Promise<T>): Promise<T> {
  return pending.catch((error: unknown) => {
    throw error instanceof StreamRefusal ? streamRefusalToOAuthError(error.reason) : error;
  });
}
