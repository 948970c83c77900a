import { OAuthError } from '@behalf/oauth';
import { BusError } from '@behalf/ports';
import { readBody } from '@behalf/service-kit';
import { SetRefusal, setType } from '@behalf/shared-signals';
import { Controller, Inject, Param, Post, Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { SignalReceiver } from '../shared-signals/signal-receiver.js';
import { SIGNAL_RECEIVER } from '../tokens.js';

const maxBytes = 64 * 1024;

/**
 * Where outside transmitters push what they have to tell. Each has a path of its own, so that none answers for another.
 *
 * @see RFC 8935 §2
 */
@Controller('events')
export class SignalsController {
  constructor(@Inject(SIGNAL_RECEIVER) private readonly receiver: SignalReceiver) {}

  @Post(':transmitter')
  async take(
    @Req() request: Request,
    @Res() response: Response,
    @Param('transmitter') name: string,
  ): Promise<void> {
    const transmitter = this.receiver.find(name);
    if (!transmitter || transmitter.poll)
      throw new OAuthError('invalid_request', 'there is nothing at this path', { status: 404 });
    response.set('Cache-Control', 'no-store');
    try {
      this.receiver.checkPushed(transmitter, request.headers.authorization);
      const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
      if (type !== `application/${setType}`)
        throw new SetRefusal('invalid_request', `the body must be application/${setType}`);
      const body = await readBody(request, maxBytes);
      await this.receiver.take(transmitter, Buffer.from(body).toString('utf8').trim());
      response.status(202).end();
    } catch (error) {
      if (error instanceof SetRefusal) {
        const { err, description } = error;
        response.status(400).set('Content-Language', 'en').json({ err, description });
        return;
      }
      if (!(error instanceof BusError)) throw error;
      // It is not acknowledged, so it comes again.
      throw new OAuthError('temporarily_unavailable', 'what it ends cannot be reached', {
        cause: error,
        retryAfterSeconds: 5,
      });
    }
  }
}
