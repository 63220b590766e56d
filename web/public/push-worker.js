// Shows what a push service hands over, also when no page is open, and opens the alert when it is pressed. Nothing is kept or cached.
self.addEventListener('push', (event) => {
  let told = {};
  try {
    told = event.data.json();
  } catch {
    // A push without words still says that something is wrong.
  }
  const { title = 'Nines', body = 'An alert changed.', url = '/alerts-dashboard', tag } = told;
  event.waitUntil(self.registration.showNotification(title, { body, tag, renotify: tag !== undefined, data: { url } }));
});

self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  // Only the way is taken from the message: the page opened is always this installation's.
  const { pathname, search } = new URL(event.notification.data.url, self.location.origin);
  event.waitUntil(self.clients.openWindow(`${self.location.origin}${pathname}${search}`));
});
