/** Opens the embedded adapter of every port, in one process and one folder: what every service runs on by default. */
export { openEmbedded } from './open-embedded.js';
