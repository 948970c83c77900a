import { type Tile, formatTilePath, parseTilePath } from './index.js';

describe('the path of a tile', () => {
  it.each<[string, Tile]>([
    ['tile/0/000', { level: 0, index: 0, width: 256 }],
    ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
    ['tile/1/000.p/17', { level: 1, index: 0, width: 17 }],
    ['tile/entries/x001/000.p/255', { level: 'entries', index: 1000, width: 255 }],
  ])('tlog-tiles: %s', (path, tile) => {
    expect(formatTilePath(tile)).toBe(path);
    expect(parseTilePath(path)).toEqual(tile);
  });

  it.each([
    'tile/0/0',
    'tile/00/000',
    'tile/7/000',
    'tile/0/x000/001',
    'tile/0/1000',
    'tile/0/x001',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/000/',
    'tile/0/../000',
    'tile/data/000',
    '/tile/0/000',
    'tile/0/x999/x999/x999/x999/x999/999',
    '',
  ])('is nothing else: %s', (path) => expect(parseTilePath(path)).toBeUndefined());
});
