export {
  HeadlessBrowser as TestBrowser,
  type OpenOptions,
  readForm,
  signInAndConsent,
  type SignInOptions,
  type Visit,
} from '@behalf/headless-browser';
