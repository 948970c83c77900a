import { describePolicyEngine } from '@behalf/testing';
import { CompiledCedarEngine } from './compiled-cedar-engine.js';

describePolicyEngine('compiled', () => new CompiledCedarEngine());
