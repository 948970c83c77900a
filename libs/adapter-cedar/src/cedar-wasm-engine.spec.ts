import { describePolicyEngine } from '@behalf/testing';
import { CedarWasmEngine } from './cedar-wasm-engine.js';

describePolicyEngine('cedar-wasm', () => new CedarWasmEngine());
