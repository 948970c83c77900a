const { TestEnvironment } = require('jest-environment-node');

/** One failed test finds a mutant: the rest is skipped. Jest's own `bail` works between files alone. */
module.exports = class extends TestEnvironment {
  #hasFailed = false;

  handleTestEvent({ name, test }) {
    if (name === 'test_fn_failure' || name === 'hook_failure') this.#hasFailed = true;
    if (name === 'test_start' && this.#hasFailed) test.mode = 'skip';
  }
};
