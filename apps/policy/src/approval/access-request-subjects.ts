import { readAccessRequest, requestAccess } from '@behalf/contracts';
import { OAuthError } from '@behalf/oauth';
import type { Bus, Subscription } from '@behalf/ports';
import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import type { AccessRequestDesk } from './access-request-desk.js';

/** Access requests on the bus, for the services of this deployment. Nobody approves anything here. */
export class AccessRequestSubjects implements OnModuleInit, OnModuleDestroy {
  #subscriptions: Subscription[] = [];

  constructor(
    private readonly bus: Bus,
    private readonly desk: AccessRequestDesk,
  ) {}

  onModuleInit(): void {
    this.#subscriptions = [
      this.bus.handle(requestAccess, async ({ caller, ...submission }) => {
        const { task } = await this.desk.submit(submission, caller);
        return task;
      }),
      this.bus.handle(readAccessRequest, async ({ id, caller }) => {
        const task = await this.desk.status(id, caller);
        if (task === undefined) throw new OAuthError('invalid_request', 'there is no such request');
        return task;
      }),
    ];
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
  }
}
