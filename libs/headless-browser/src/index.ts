/** A browser without a screen for our own two forms: for the demo, the benchmarks and the tests. */
export {
  HeadlessBrowser,
  type OpenOptions,
  readForm,
  signInAndConsent,
  type SignInOptions,
  type Visit,
} from './headless-browser.js';
