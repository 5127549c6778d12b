/** `nativeImage`: a picture by where it came from; nothing is drawn. */
import { existsSync } from 'node:fs';
import type { NativeImage } from 'electron';
import { modelled } from './modelled.ts';

export interface StandInImage extends Pick<NativeImage, 'isEmpty' | 'setTemplateImage'> {
  /** The file it was made from; empty for none. */
  readonly path: string;
}

function createImage(path: string): StandInImage {
  return modelled<StandInImage>('nativeImage', {
    path,
    isEmpty: () => path === '',
    setTemplateImage: () => {},
  });
}

export const nativeImage = modelled('nativeImage', {
  createEmpty: () => createImage(''),
  // Electron makes an empty one of a file that is not there, which nobody would notice.
  createFromPath(path: string) {
    if (!existsSync(path)) throw new Error(`electron stand-in: the image ${path} does not exist`);
    return createImage(path);
  },
});

/** The file of an image, given as Electron takes it; throws where there is none. */
export function fileOf(image: string | StandInImage): string {
  const path = typeof image === 'string' ? image : image.path;
  if (!existsSync(path)) throw new Error(`Failed to load image from path '${path}'`);
  return path;
}
