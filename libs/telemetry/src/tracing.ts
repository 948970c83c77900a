import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  INVALID_SPAN_CONTEXT,
  SpanKind,
  SpanStatusCode,
  context,
  propagation,
  trace,
} from '@opentelemetry/api';

export type TraceCarrier = Record<string, string | string[] | undefined>;

const tracer = () => trace.getTracer('behalf');
const noSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
let isOn = false;

/** From here on spans are made. Until then work runs without any, and without what making none costs. */
export function makeSpans(): void {
  isOn = true;
}

/** Whether spans are made, for work that is needed for nothing else. */
export function isTracing(): boolean {
  return isOn;
}

export interface SpanSettings {
  kind?: keyof typeof SpanKind;
  /** As a function, it is called only when there is somebody to tell. */
  attributes?: Attributes | (() => Attributes);
  links?: Link[];
  parent?: Context;
}

/** Runs work inside a span and ends it. A thrown error marks the span with its name only: messages may hold data. */
export function inSpan<T>(
  name: string,
  settings: SpanSettings,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return isOn ? inNewSpan(name, settings, work) : work(noSpan);
}

async function inNewSpan<T>(
  name: string,
  settings: SpanSettings,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const { kind = 'INTERNAL', links, parent = context.active() } = settings;
  const attributes = typeof settings.attributes === 'function' ? settings.attributes() : settings.attributes;
  return tracer().startActiveSpan(
    name,
    { kind: SpanKind[kind], ...(attributes && { attributes }), ...(links && { links }) },
    parent,
    async (span) => {
      try {
        return await work(span);
      } catch (error) {
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.setAttribute(
          'error.type',
          (error as { code?: string }).code ?? (error as Error).name ?? 'unknown',
        );
        throw error;
      } finally {
        span.end();
      }
    },
  );
}

/** The context a carrier names (HTTP headers, bus headers, MCP `_meta`); the active one when it names none. */
export function withTraceContext(carrier: TraceCarrier): Context {
  return isOn ? propagation.extract(context.active(), carrier) : context.active();
}

/** Writes `traceparent` and `tracestate` of the active span into a new carrier. */
export function injectTraceContext(): Record<string, string> {
  const carrier: Record<string, string> = {};
  if (isOn) propagation.inject(context.active(), carrier);
  return carrier;
}

/** Says in the active span what it stands on, although that is no part of it. */
export function linkActiveSpan(to: SpanContext | undefined): void {
  if (to) trace.getActiveSpan()?.addLink({ context: to });
}

export function activeTraceId(): string | undefined {
  return isOn ? trace.getActiveSpan()?.spanContext().traceId : undefined;
}
