/** FNV-1a of 32 bits over UTF-16 units: spreads names over an interval, even those that differ in one digit. Never an identity. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
