/// <reference path="./interfaces/bursar-adapter-adapter.d.ts" />
/// <reference path="./interfaces/bursar-adapter-catalog.d.ts" />
/// <reference path="./interfaces/bursar-adapter-incoming.d.ts" />
/// <reference path="./interfaces/bursar-adapter-lms-read.d.ts" />
/// <reference path="./interfaces/bursar-adapter-lms-write.d.ts" />
/// <reference path="./interfaces/bursar-adapter-logging.d.ts" />
/// <reference path="./interfaces/bursar-adapter-orders.d.ts" />
/// <reference path="./interfaces/bursar-adapter-settings.d.ts" />
/// <reference path="./interfaces/bursar-adapter-shop.d.ts" />
/// <reference path="./interfaces/bursar-adapter-signatures.d.ts" />
/// <reference path="./interfaces/bursar-adapter-types.d.ts" />
declare module 'bursar:adapter/everything@0.1.0' {
  export type * as BursarAdapterCatalog010 from 'bursar:adapter/catalog@0.1.0'; // import bursar:adapter/catalog@0.1.0
  export type * as BursarAdapterIncoming010 from 'bursar:adapter/incoming@0.1.0'; // import bursar:adapter/incoming@0.1.0
  export type * as BursarAdapterLmsRead010 from 'bursar:adapter/lms-read@0.1.0'; // import bursar:adapter/lms-read@0.1.0
  export type * as BursarAdapterLmsWrite010 from 'bursar:adapter/lms-write@0.1.0'; // import bursar:adapter/lms-write@0.1.0
  export type * as BursarAdapterLogging010 from 'bursar:adapter/logging@0.1.0'; // import bursar:adapter/logging@0.1.0
  export type * as BursarAdapterOrders010 from 'bursar:adapter/orders@0.1.0'; // import bursar:adapter/orders@0.1.0
  export type * as BursarAdapterSettings010 from 'bursar:adapter/settings@0.1.0'; // import bursar:adapter/settings@0.1.0
  export type * as BursarAdapterShop010 from 'bursar:adapter/shop@0.1.0'; // import bursar:adapter/shop@0.1.0
  export type * as BursarAdapterSignatures010 from 'bursar:adapter/signatures@0.1.0'; // import bursar:adapter/signatures@0.1.0
  export type * as BursarAdapterTypes010 from 'bursar:adapter/types@0.1.0'; // import bursar:adapter/types@0.1.0
  export * as adapter from 'bursar:adapter/adapter@0.1.0'; // export bursar:adapter/adapter@0.1.0
}
